@expose @consume
Feature: Certificates are renewed
  "You can use the command of your choice to generate certificates and keys":
  and again, before they expire. A gateway takes a new one while it serves, on
  both sides of the boundary, and nobody notices. Connections live on, so all of
  them are ended once: whoever comes back shakes hands with what was renewed.

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
    And from c1 to the gateway of c2 there is only a link that can be broken
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
      """
    And in c1, "GET http://ratings:9080/ratings/0" is answered by ratings of c2

  @extended
  Scenario: Both sides renew under traffic
    Given from now on, in c1, "GET http://ratings:9080/ratings/0" is asked all the time
    When the owner of c2 renews the certificates of both private gateways
    Then within 15s the private ingress gateway of c2 has the new certificate
    When the owner of c1 renews the certificates of both private gateways
    Then within 15s the private egress gateway of c1 has the new certificate
    And none of what is asked all the time has failed
    And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is answered by ratings v1 of c2
    When for 1s that link is reset, and in c1 "GET http://ratings:9080/ratings/0" is not answered
    Then in c1, "GET http://ratings:9080/ratings/0" is answered by ratings of c2
