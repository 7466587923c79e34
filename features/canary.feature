@consume
Feature: A canary release with a remote version
  "Now you can perform a canary release for reviews v2": first for one user,
  then for half of all requests. A split is judged by a sequential test, which
  asks until it knows: a right one is called wrong at most once in 10,000 runs,
  one that is off by 5 points (10 points for the product page) is missed at most
  once in 100.

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

  @core @header-routing
  Scenario: Jason tries the remote version, then everybody is back on the local one
    When the owner of c1 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: reviews, namespace: default}
      spec:
        service: {name: reviews, port: 9080}
        from: {peer: c2, path: /bookinfo/myreviews/v2/}
        routes:
        - match: {headers: [{name: end-user, exact: jason}]}
          to: [{target: remote, weight: 100}]
        - to: [{target: local, subset: v1, weight: 100}]
      """
    Then the product page of c1 shows jason reviews with black stars from c2
    And the product page of c1 shows everybody reviews without stars from c1, all of 50 times
    When the owner of c1 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: reviews, namespace: default}
      spec:
        service: {name: reviews, port: 9080}
        from: {peer: c2, path: /bookinfo/myreviews/v2/}
        routes:
        - to: [{target: local, subset: v1, weight: 100}]
      """
    Then the product page of c1 shows jason reviews without stars from c1, all of 50 times

  @extended @weighted-routing
  Scenario: Half of the requests go to the remote version
    When the owner of c1 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: reviews, namespace: default}
      spec:
        service: {name: reviews, port: 9080}
        from: {peer: c2, path: /bookinfo/myreviews/v2/}
        routes:
        - to: [{target: local, subset: v1, weight: 50}, {target: remote, weight: 50}]
      """
    Then in c1, "GET http://reviews:9080/reviews/0" is shared 50:50 between reviews v1 of c1 and reviews v2 of c2
    And the product page of c1 is shared 50:50 between reviews without stars from c1 and reviews with black stars from c2

  @extended @weighted-routing
  Scenario: One request in ten goes to the remote version
    When the owner of c1 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: reviews, namespace: default}
      spec:
        service: {name: reviews, port: 9080}
        from: {peer: c2, path: /bookinfo/myreviews/v2/}
        routes:
        - to: [{target: local, subset: v1, weight: 90}, {target: remote, weight: 10}]
      """
    Then in c1, "GET http://reviews:9080/reviews/0" is shared 90:10 between reviews v1 of c1 and reviews v2 of c2
