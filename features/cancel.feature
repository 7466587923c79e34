@expose
Feature: Cancel exposure
  "Consider a scenario where the owners of cluster2 decide to stop exposure of
  the ratings service." What is withdrawn is gone at once; who has somewhere
  else to go goes there first.

  Background:
    Given the meshes c1 and c2 are paired
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
    And at c2, "GET /bookinfo/myreviews/v3/reviews/0" with c1's certificate is answered by reviews v3 of c2

  Rule: Only what is withdrawn is gone

    @extended @consume @header-routing
    Scenario: Ratings are withdrawn and given back; the red stars never notice
      Given the owner of c1 deploys reviews v2
      And the owner of c1 applies:
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
          - match: {headers: [{name: end-user, exact: jason}]}
            to: [{target: remote, weight: 100}]
          - to: [{target: local, subset: v2, weight: 100}]
        """
      And the product page of c1 shows everybody reviews with black stars from c1
      And the product page of c1 shows jason reviews with red stars from c2
      When the owner of c2 applies:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Exposure
        metadata: {name: reviews-v3, namespace: bookinfo}
        spec:
          service: {name: myreviews, port: 9080, subset: v3}
          path: /bookinfo/myreviews/v3/
          consumers:
          - {peer: c1, methods: [GET]}
        """
      Then the product page of c1 shows everybody reviews with an error for stars from c1
      And the product page of c1 shows jason reviews with red stars from c2
      And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is refused: denied by policy
      When the owner of c2 applies:
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
      Then the product page of c1 shows everybody reviews with black stars from c1

  Rule: Under traffic

    @core
    Scenario: New connections are refused at once, and nothing is accepted afterwards
      Given at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is answered by ratings v1 of c2
      And from now on, at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is asked all the time
      When the owner of c2 applies:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Exposure
        metadata: {name: reviews-v3, namespace: bookinfo}
        spec:
          service: {name: myreviews, port: 9080, subset: v3}
          path: /bookinfo/myreviews/v3/
          consumers:
          - {peer: c1, methods: [GET]}
        """
      Then what is asked all the time is answered at most 400ms after that, and never again
      And at c2, "GET /bookinfo/myreviews/v3/reviews/0" with c1's certificate is answered by reviews v3 of c2

    @extended @consume
    Scenario: A consumer with a local fallback moves first and sees no error
      Given the owner of c1 applies:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Consumption
        metadata: {name: reviews, namespace: default}
        spec:
          service: {name: reviews, port: 9080}
          from: {peer: c2, path: /bookinfo/myreviews/v3/}
          routes:
          - to: [{target: remote, weight: 100}]
        """
      And in c1, "GET http://reviews:9080/reviews/0" is answered by reviews v3 of c2
      And from now on, in c1, "GET http://reviews:9080/reviews/0" is asked all the time
      When the owner of c1 applies:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Consumption
        metadata: {name: reviews, namespace: default}
        spec:
          service: {name: reviews, port: 9080}
          from: {peer: c2, path: /bookinfo/myreviews/v3/}
          routes:
          - to: [{target: local, subset: v1, weight: 100}]
        """
      And in c1, "GET http://reviews:9080/reviews/0" is answered by reviews v1 of c1
      And the owner of c2 cancels
      And within 2s at c2, "GET /bookinfo/myreviews/v3/reviews/0" with c1's certificate is not answered any more
      Then none of what is asked all the time has failed
