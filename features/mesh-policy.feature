@expose
Feature: The exposing mesh keeps policies of its own
  "Apply Istio RBAC on the bookinfo namespace": defence in depth behind the
  boundary, with today's AuthorizationPolicy in place of ServiceRoles. It is the
  owner's own object, and the engine leaves it alone.

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
    And in c2, "GET http://ratings.bookinfo:9080/ratings/0" is answered by ratings v1 of c2
    And the owner of c2 has in the mesh:
      """yaml
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: {name: reviews-reader, namespace: bookinfo}
      spec:
        selector: {matchLabels: {app: reviews}}
        rules:
        - from: [{source: {principals: [cluster.local/ns/istio-private-gateways/sa/istio-private-ingressgateway-service-account]}}]
          to: [{operation: {methods: [GET]}}]
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: {name: ratings-reader, namespace: bookinfo}
      spec:
        selector: {matchLabels: {app: ratings}}
        rules:
        - from:
          - source:
              principals:
              - cluster.local/ns/bookinfo/sa/bookinfo-reviews
              - cluster.local/ns/istio-private-gateways/sa/istio-private-ingressgateway-service-account
          to: [{operation: {methods: [GET]}}]
      """

  @extended
  Scenario: Only the private ingress gateway reaches reviews, only it and reviews reach ratings
    Given at c2, "GET /bookinfo/myreviews/v3/reviews/0" with c1's certificate is answered by reviews v3 of c2
    Then soon, in c2, "GET http://myreviews.bookinfo:9080/reviews/0" is refused: denied by policy
    And soon, in c2, "GET http://ratings.bookinfo:9080/ratings/0" is refused: denied by policy
    And soon, in c2, "GET http://myreviews.bookinfo:9080/reviews/0" from ratings is refused: denied by policy
    And in c2, "GET http://ratings.bookinfo:9080/ratings/0" from reviews is answered by ratings v1 of c2
    # The first request on a connection that was open before may still pass
    # (Istio 1.31): the filters of a listener change with its next one.
    And soon, in c2, "POST http://ratings.bookinfo:9080/ratings/0" from reviews is refused: denied by policy
    And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is answered by ratings v1 of c2
    And at c2, "GET /bookinfo/myreviews/v3/reviews/0" with c1's certificate is answered by reviews v3 of c2
    And what the owner of c2 has in the mesh is untouched
    # Whoever was refused gets through once the owner allows it again, on
    # connections of before, too.
    When the owner of c2 takes all of hers back
    Then soon, in c2, "GET http://myreviews.bookinfo:9080/reviews/0" is answered by reviews of c2 every time
    And soon, in c2, "GET http://ratings.bookinfo:9080/ratings/0" is answered by ratings of c2 every time
