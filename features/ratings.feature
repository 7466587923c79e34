@consume
Feature: Two services, two versions, two names
  "Expose ratings and reviews v3", "Consume ratings and reviews v3": the local
  reviews v2 has no ratings in its own mesh, and asks those of c2 by a local
  name that nothing but the consumption stands for.

  Background:
    Given the meshes c1 and c2 are paired
    And the owner of c2 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: reviews-v2, namespace: bookinfo}
      spec:
        service: {name: myreviews, port: 9080, subset: v2}
        path: /bookinfo/myreviews/v2/
        consumers:
        - {peer: c1, methods: [GET]}
      """
    And at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is answered by reviews v2 of c2
    And the owner of c2 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: reviews-v3, namespace: bookinfo}
      spec:
        service: {name: myreviews, port: 9080, subset: v3}
        path: /bookinfo/myreviews/v3/
        consumers:
        - {peer: c1, methods: [GET]}
      ---
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: ratings-v1, namespace: bookinfo}
      spec:
        service: {name: ratings, port: 9080, subset: v1}
        path: /bookinfo/ratings/v1/
        consumers:
        - {peer: c1, methods: [GET]}
      """

  @core
  Scenario: Reviews v3 and ratings are exposed, and reviews v2 is not any more
    Then within 2s at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is not answered any more
    And at c2, "GET /bookinfo/myreviews/v3/reviews/0" with c1's certificate is answered by reviews v3 of c2
    And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is answered by ratings v1 of c2
    But at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is refused: denied by policy

  @core
  Scenario: The local reviews v2 has the ratings of c2
    Given the owner of c1 deploys reviews v2
    When the owner of c1 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: ratings, namespace: default}
      spec:
        service: {name: ratings, port: 9080}
        from: {peer: c2, path: /bookinfo/ratings/v1/}
        routes:
        - to: [{target: remote, weight: 100}]
      ---
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: reviews, namespace: default}
      spec:
        service: {name: reviews, port: 9080}
        from: {peer: c2, path: /bookinfo/myreviews/v3/}
        routes:
        - to: [{target: local, subset: v2, weight: 100}]
      """
    Then in c1, "GET http://ratings:9080/ratings/0" is answered by ratings v1 of c2
    And the product page of c1 shows everybody reviews with black stars from c1

  @extended @weighted-routing
  Scenario: Black stars of c1 and red stars of c2, half and half
    Given the owner of c1 deploys reviews v2
    When the owner of c1 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: ratings, namespace: default}
      spec:
        service: {name: ratings, port: 9080}
        from: {peer: c2, path: /bookinfo/ratings/v1/}
        routes:
        - to: [{target: remote, weight: 100}]
      ---
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: reviews, namespace: default}
      spec:
        service: {name: reviews, port: 9080}
        from: {peer: c2, path: /bookinfo/myreviews/v3/}
        routes:
        - to: [{target: local, subset: v2, weight: 50}, {target: remote, weight: 50}]
      """
    Then the product page of c1 shows everybody reviews with black stars from c1
    And the product page of c1 is shared 50:50 between reviews with black stars from c1 and reviews with red stars from c2
