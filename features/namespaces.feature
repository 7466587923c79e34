@expose @consume
Feature: What one namespace consumes is not another's
  "The consumer decides": a team binds a name in its own namespace. The callers
  of other namespaces keep what they had, and whoever of them finds the way to
  the private egress gateway, with the mesh's own certificate, is asked there
  who he is and for what.

  Background:
    Given the meshes c1 and c2 are paired
    And the owner of c1 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: details, namespace: default}
      spec:
        service: {name: details, port: 9080}
        path: /bookinfo/details/v1/
        consumers:
        - {peer: c2, methods: [GET]}
      ---
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: reviews, namespace: default}
      spec:
        service: {name: reviews, port: 9080}
        path: /bookinfo/reviews/v1/
        consumers:
        - {peer: c2, methods: [GET]}
      """
    And at c1, "GET /bookinfo/details/v1/details/0" with c2's certificate is answered by details v1 of c1
    And the owner of c2 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: details, namespace: default}
      spec:
        service: {name: details, port: 9080}
        from: {peer: c1, path: /bookinfo/details/v1/}
        routes:
        - to: [{target: remote, weight: 100}]
      ---
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Consumption
      metadata: {name: ratings, namespace: bookinfo}
      spec:
        service: {name: ratings, port: 9080}
        from: {peer: c1, path: /bookinfo/reviews/v1/}
        routes:
        - to: [{target: remote, weight: 100}]
      """
    And in c2, "GET http://details.default:9080/details/0" is answered by details v1 of c1
    And in c2, "GET http://ratings.bookinfo:9080/reviews/0" from reviews is answered by reviews v1 of c1

  @core
  Scenario: The callers of another namespace are not moved
    Then in c2, "GET http://ratings.bookinfo:9080/ratings/0" is answered by ratings v1 of c2, all of 200 times

  # The rules of a team are its own: it can write into its own namespace what
  # the engine writes, and try the names of others with it.
  @core
  Scenario: Whoever finds the way to the egress gateway is asked who he is and for what
    Given the owner of c2 has in the mesh:
      """yaml
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: {name: way-out, namespace: bookinfo}
      spec:
        host: istio-private-egressgateway.istio-private-gateways.svc.cluster.local
        exportTo: [.]
        subsets:
        - name: ratings-bookinfo
          trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: ISTIO_MUTUAL, sni: ratings.bookinfo.svc.cluster.local}}]}
        - name: another
          trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: ISTIO_MUTUAL, sni: details.default.svc.cluster.local}}]}
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: way-out, namespace: bookinfo}
      spec:
        hosts: [details.default.svc.cluster.local]
        exportTo: [.]
        http:
        - match: [{uri: {prefix: /both/}}]
          rewrite: {uri: /, authority: details.default.svc.cluster.local}
          route: [{destination: {host: istio-private-egressgateway.istio-private-gateways.svc.cluster.local, subset: another, port: {number: 443}}}]
        - match: [{uri: {prefix: /host/}}]
          rewrite: {uri: /, authority: details.default.svc.cluster.local}
          route: [{destination: {host: istio-private-egressgateway.istio-private-gateways.svc.cluster.local, subset: ratings-bookinfo, port: {number: 443}}}]
        - match: [{uri: {prefix: /sni/}}]
          rewrite: {uri: /, authority: ratings.bookinfo.svc.cluster.local}
          route: [{destination: {host: istio-private-egressgateway.istio-private-gateways.svc.cluster.local, subset: another, port: {number: 443}}}]
      """
    Then soon, in c2, "GET http://details.default:9080/both/details/0" from reviews is refused: denied by policy
    And soon, in c2, "GET http://details.default:9080/host/details/0" from reviews is refused: denied by policy
    And soon, in c2, "GET http://details.default:9080/sni/reviews/0" from reviews is refused: denied by policy
    And in c2, "GET http://details.default:9080/details/0" is answered by details v1 of c1
