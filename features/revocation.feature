@expose
Feature: What is withdrawn is over
  "They can cancel the exposure at any point if they want." A withdrawal counts
  from the moment at which the API server has accepted it, and must be over within
  2 s more than the bound since the engine was asked. All kinds of
  connections ask all the time meanwhile: new ones, new ones that resume a TLS
  session, a busy one of HTTP/1.1 and of HTTP/2, and one that was idle and is
  used again when the time is up. The figures are in the report.

  To be served no more is not enough: new connections are refused as this way to
  withdraw refuses, no workload has seen what was sent when the bound had passed,
  and the gateway still serves whom it should. The last trial of a cancel, of a
  peer that is removed and of a certificate is watched for ten seconds.

  Background:
    Given the meshes c1 and c2 are paired
    And the owner of c2 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: ratings, namespace: bookinfo}
      spec:
        service: {name: ratings, port: 9080, subset: v1}
        path: /bookinfo/ratings/v1/
        consumers:
        - {peer: c1, methods: [GET]}
      """

  @core
  Scenario: The exposure is cancelled
    Then each of 3 times that the owner cancels, c1's "GET /bookinfo/ratings/v1/ratings/0" at c2 ends within 400ms on new connections and 2000ms on live ones

  @core @acl
  Scenario: The peer is taken off the list
    Then each of 3 times that the owner applies the following, c1's "GET /bookinfo/ratings/v1/ratings/0" at c2 ends within 400ms on new connections and 2000ms on busy ones:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: ratings, namespace: bookinfo}
      spec:
        service: {name: ratings, port: 9080, subset: v1}
        path: /bookinfo/ratings/v1/
        consumers:
        - {peer: c3, methods: [GET]}
      """

  @core @acl
  Scenario: The peer is removed
    Then each of 3 times that the owner applies the following without the peer c1, c1's "GET /bookinfo/ratings/v1/ratings/0" at c2 ends within 400ms on new connections and 2000ms on busy ones:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: ratings, namespace: bookinfo}
      spec:
        service: {name: ratings, port: 9080, subset: v1}
        path: /bookinfo/ratings/v1/
        consumers:
        - {peer: c3, methods: [GET]}
      """

  # A change of policy replaces Envoy's listener. A connection of the old one is
  # closed with its next answer, and all that are left when it has drained: so
  # also one that sleeps, and one whose answer is not at its end, if the gateway
  # drains in less time than that.
  @extended @acl
  Scenario: The peer is taken off the list while one connection sleeps, and another has an answer that is not at its end
    Then each of 3 times that the owner applies the following, c1's "GET /bookinfo/ratings/v1/ratings/0" at c2 ends within 400ms on new connections and 2000ms on idle or streaming ones:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: ratings, namespace: bookinfo}
      spec:
        service: {name: ratings, port: 9080, subset: v1}
        path: /bookinfo/ratings/v1/
        consumers:
        - {peer: c3, methods: [GET]}
      """

  @extended
  Scenario: The exposure is cancelled, and an answer is not at its end
    Then each of 3 times that the owner cancels, c1's "GET /bookinfo/ratings/v1/ratings/0" at c2 ends within 400ms on new connections and 2000ms on streaming ones

  Rule: By certificates

    # A gateway looks at a certificate once, when the connection is made. A
    # secret of another name is another listener, and all connections are made
    # anew.
    @extended
    Scenario Outline: The owner <how> in a secret of another name
      Then each of 3 times that the owner <how> in a secret of another name, c1's "GET /bookinfo/ratings/v1/ratings/0" at c2 ends within 400ms on new connections and 2000ms on live ones

      Examples:
        | how                      |
        | revokes c1's certificate |

      @long
      Examples:
        | how                 |
        | trusts another root |

    @extended @known-gap=envoy-keeps-what-it-has-verified
    Scenario Outline: The owner <how> in the gateway's secret
      Then each of 1 times that the owner <how> in the gateway's secret, c1's "GET /bookinfo/ratings/v1/ratings/0" at c2 ends within 400ms on new connections and 2000ms on busy ones

      Examples:
        | how                      |
        | revokes c1's certificate |

      @long
      Examples:
        | how                 |
        | trusts another root |
