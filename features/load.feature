@load
Feature: What the gateways cost, and what refusals cost
  Requests are sent at a rate that does not depend on the answers, and each is
  timed from the moment at which it was meant to be sent. What is compared is
  sent by turns, or at the same rate right before. A bound holds if the whole
  interval of the difference is within it, at 99.9 % confidence. p99 and p99.9 are
  in the report: in so few seconds, on a machine that also runs the meshes,
  their intervals are wider than the difference itself.

  Background:
    Given the meshes c1 and c2 are paired
    And the owner of c2 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: ratings, namespace: bookinfo}
      spec:
        service: {name: ratings, port: 9080}
        path: /bookinfo/ratings/v1/
        consumers:
        - {peer: c1, methods: [GET]}
      """
    And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is answered by ratings v1 of c2

  @extended @expose @consume
  Scenario: What two private gateways add to the latency of a request
    Given the owner of c1 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: ratings, namespace: default}
      spec:
        service: {name: ratings, port: 9080}
        from: {peer: c2, path: /bookinfo/ratings/v1/}
        routes:
        - to: [{target: remote, weight: 100}]
      """
    And in c1, "GET http://ratings:9080/ratings/0" is answered by ratings of c2
    When for 20 seconds 400 requests a second leave c1, by turns:
      | name                 | request                           |
      | within the mesh      | GET http://details:9080/details/0 |
      | through the gateways | GET http://ratings:9080/ratings/0 |
    Then each of "within the mesh" is answered by details v1 of c1
    And each of "through the gateways" is answered by ratings v1 of c2
    And "through the gateways" takes at most 2 ms longer than "within the mesh" at p50
    And "through the gateways" takes at most 3 ms longer than "within the mesh" at p90

  @extended @expose @acl
  Scenario: A peer that is denied asks ten times as often as the one that is served
    When for 15 seconds 30 requests a second arrive at c2, by turns:
      | name         | request                            | with             |
      | served alone | GET /bookinfo/ratings/v1/ratings/0 | c1's certificate |
    And for 15 seconds 330 requests a second arrive at c2, by turns:
      | name          | request                            | with             | share |
      | served beside | GET /bookinfo/ratings/v1/ratings/0 | c1's certificate | 1     |
      | denied        | GET /bookinfo/ratings/v1/ratings/0 | c3's certificate | 10    |
    Then each of "served alone" is answered by ratings v1 of c2
    And each of "served beside" is answered by ratings v1 of c2
    And each of "denied" is refused: denied by policy
    And "served beside" takes at most 20 % longer than "served alone" at p90
