@consume
Feature: Deploy reviews v2 locally and retire reviews v1
  The consumer has tried the remote version and now runs it herself. "Notice
  the Ratings service is currently unavailable error. This is because the
  ratings service is in a remote cluster and you neither exposed it in cluster2
  nor configured consuming it in cluster1."

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
    And the owner of c1 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: reviews, namespace: default}
      spec:
        service: {name: reviews, port: 9080}
        from: {peer: c2, path: /bookinfo/myreviews/v2/}
        routes:
        - to: [{target: remote, weight: 100}]
      """
    And the product page of c1 shows everybody reviews with black stars from c2

  @extended
  Scenario: The local v2 takes over, the consumption ends, and v1 is retired
    When the owner of c1 deploys reviews v2
    And the owner of c1 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: reviews, namespace: default}
      spec:
        service: {name: reviews, port: 9080}
        from: {peer: c2, path: /bookinfo/myreviews/v2/}
        routes:
        - to: [{target: local, subset: v2, weight: 100}]
      """
    Then the product page of c1 shows everybody reviews with an error for stars from c1
    When the owner of c1 cancels
    And the owner of c1 retires reviews v1
    Then the product page of c1 shows everybody reviews with an error for stars from c1
    And in c1, "GET http://reviews:9080/reviews/0" is answered by reviews v2 of c1
    And 10 of 10 more are answered by reviews v2 of c1
    And nothing of the engine is left in c1
