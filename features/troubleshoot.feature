@consume
Feature: What is broken is named
  "Troubleshooting": one request goes through a sidecar, two gateways and a
  handshake between strangers, and the caller sees no more than a status. The
  proxies on the way know more. Five faults are planted, and each is named by the
  layer it is in.

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

  Rule: A request that nothing stops has no broken layer

    @extended
    Scenario: Nothing is broken
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
      And in c1, "GET http://ratings:9080/ratings/0" is answered by ratings v1 of c2
      Then the broken layer of "GET http://ratings:9080/ratings/0" in c1 is "nothing"
      And the broken layer of "GET http://nobody:9080/ratings/0" in c1 is "name resolution"
      And by c1 alone, "GET http://ratings:9080/ratings/0" ends at "nothing", because "the last request was answered"
      And by c2 alone, "GET /bookinfo/ratings/v1/ratings/0" of c1 ends at "nothing"

  Rule: Each planted fault is named by its layer

    @extended
    Scenario: The peer's certificate has expired
      # Before c1 connects: a connection lives on with the certificate it began with.
      Given the owner of c2 has let the certificate of the private ingress gateway expire
      And within 15s the private ingress gateway of c2 has the new certificate
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
        """
      Then the broken layer of "GET http://ratings:9080/ratings/0" in c1 is "handshake", because "CERTIFICATE_VERIFY_FAILED"
      And by c2 alone, "GET /bookinfo/ratings/v1/ratings/0" of c1 ends at "handshake", because "c2-example-com-ingress-certs holds a certificate that is valid from"
      And by c1 alone, "GET http://ratings:9080/ratings/0" ends at "handshake", because "CERTIFICATE_VERIFY_FAILED"

    @extended
    Scenario: The consumer asks for the wrong server name
      Given the owner of c1 asks c2 for the server name "c9.example.com"
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
        """
      Then the broken layer of "GET http://ratings:9080/ratings/0" in c1 is "SNI", because "c9.example.com"
      And by c1 alone, "GET http://ratings:9080/ratings/0" ends at "SNI", because "c9.example.com"

    @extended
    Scenario: The exposed subset is not there any more
      Given the owner of c2 has in the mesh:
        """yaml
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: spare, namespace: bookinfo}
        spec:
          host: ratings
          subsets: [{name: spare, labels: {version: v1}}]
        """
      And the owner of c2 applies:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Exposure
        metadata: {name: ratings, namespace: bookinfo}
        spec:
          service: {name: ratings, port: 9080, subset: spare}
          path: /bookinfo/ratings/v1/
          consumers:
          - {peer: c1, methods: [GET]}
        """
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
      And in c1, "GET http://ratings:9080/ratings/0" is answered by ratings v1 of c2
      When the owner of c2 has in the mesh:
        """yaml
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: spare, namespace: bookinfo}
        spec:
          host: ratings
          subsets: [{name: renamed, labels: {version: v1}}]
        """
      Then the broken layer of "GET http://ratings:9080/ratings/0" in c1 is "route", because "cluster_not_found"
      And by c2 alone, "GET /bookinfo/ratings/v1/ratings/0" of c1 ends at "route", because "|spare|"

    @extended
    Scenario: Nobody is at the peer's address
      Given the owner of c1 believes the gateway of c2 at port 15999
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
        """
      Then the broken layer of "GET http://ratings:9080/ratings/0" in c1 is "peer's address", because "15999"
      And by c1 alone, "GET http://ratings:9080/ratings/0" ends at "peer's address", because "15999"

    @extended
    Scenario: The peer's policy denies
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
      And in c1, "GET http://ratings:9080/ratings/0" is answered by ratings v1 of c2
      Then the broken layer of "DELETE http://ratings:9080/ratings/0" in c1 is "policy", because "rbac_access_denied"
      And by c2 alone, "DELETE /bookinfo/ratings/v1/ratings/0" of c1 ends at "policy", because "wants method exact GET"
