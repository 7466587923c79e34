@expose
Feature: The boundary lets through what is declared and nothing else
  A few requests that are refused prove little: what matters is the one that
  nobody thought of. So the whole truth table is derived from the declarations,
  by an oracle that shares no code with the engine: every caller by every SNI,
  host, path and method that can be told apart, the neighbours and disguises of
  each exposed path among them. Every cell is probed. For what must be refused
  the reason must be the declared one, and no workload of any mesh may have seen
  it; what must be granted is asked in between.

  Background:
    Given the meshes c1 and c2 are paired

  @core @acl
  Scenario: Two services for two peers, with different paths and methods
    When the owner of c2 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: reviews-v2, namespace: bookinfo}
      spec:
        service: {name: myreviews, port: 9080, subset: v2}
        path: /bookinfo/myreviews/v2/
        consumers:
        - {peer: c1, methods: [GET]}
      ---
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: ratings, namespace: bookinfo}
      spec:
        service: {name: ratings, port: 9080, subset: v1}
        path: /bookinfo/ratings/v1/
        consumers:
        - {peer: c1, methods: [GET], paths: [ratings/]}
        - {peer: c3, methods: [GET, HEAD]}
      """
    And at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is answered by reviews v2 of c2
    And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c3's certificate is answered by ratings v1 of c2
    Then the boundary of c2 is as declared, in each of at least 500 cells
    And a refusal there takes at most 1.2 times as long as an answer

  @core
  Scenario: Nothing is exposed
    Given in c2, "GET http://myreviews.bookinfo:9080/reviews/0" is answered by reviews of c2
    When the owner of c2 applies:
      """yaml
      """
    Then the boundary of c2 is as declared, in each of at least 50 cells
