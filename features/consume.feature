@consume
Feature: Consume a service of another mesh under a local name
  "You can perform a canary release": c1 binds what c2 exposes as its own
  reviews.default.svc.cluster.local. The name, the namespace, the port and the
  path over there are none of its workloads' business, and none of c2's
  certificates are trusted by c1's sidecars.

  "From c2" is proven by a nonce that the request carries: it was seen by the
  workload over there, and by none of the same name over here.

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
    And at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is answered by reviews v2 of c2

  Rule: Exposure alone moves no traffic

    @core
    Scenario: Before c1 consumes anything its product page has no stars
      Then the product page of c1 shows everybody reviews without stars from c1, all of 50 times
      And the product page of c1 shows jason reviews without stars from c1, all of 50 times

  Rule: The consumer decides which of its requests leave

    @core @header-routing
    Scenario: Jason's reviews come from c2 while the others stay local
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
      And the product page of c1 shows jasonx reviews without stars from c1, all of 50 times

    @core
    Scenario: All reviews come from c2
      When the owner of c1 applies:
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
      Then the product page of c1 shows everybody reviews with black stars from c2, all of 50 times
      And the product page of c1 shows jason reviews with black stars from c2

    @extended @weighted-routing
    Scenario: Half of the reviews come from c2
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
      # A fair coin falls outside these bounds less than once in 10,000 runs.
      Then between 160 and 240 of 400 times "GET http://reviews:9080/reviews/0" in c1 is answered by reviews v2 of c2

  Rule: Names, namespaces and paths differ on the two sides

    @core
    Scenario: A request keeps its local name in c1 and has c2's name in c2
      Given the owner of c1 applies:
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
      Then in c1, "GET http://reviews:9080/reviews/0?q=a%20b" is answered by reviews v2 of c2
      And it arrived there as "GET /reviews/0?q=a%20b" for "myreviews.bookinfo.svc.cluster.local"

    @core
    Scenario: A request and its answer keep their headers on the way
      Given the owner of c1 applies:
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
      And in c1, "GET http://reviews:9080/reviews/0" is answered by reviews v2 of c2
      Then "GET http://reviews:9080/reviews/0" in c1 has the headers of "GET http://myreviews.bookinfo:9080/reviews/0" in c2, there and back, but for what gateways say of the way:
        | X-Forwarded-For          |
        | X-Envoy-External-Address |
        | X-Envoy-Original-Host    |
        | X-Envoy-Original-Path    |

  Rule: A consumer fails closed

    # What the right identity is served says that the way is there; between the two
    # nothing leaves, so that whatever c2 sees comes after. Everybody's pages take
    # the time in which the gateway hears of it: before, jason's has no reviews either.
    @core @peer-identity @header-routing
    Scenario: A peer that is not who it should be gets no request
      Given the owner of c1 applies:
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
      And the product page of c1 shows jason reviews with black stars from c2
      And the owner of c1 cancels
      And the product page of c1 shows jason reviews without stars from c1
      And the owner of c1 expects c2 to be "spiffe://c9.example.com/istio-private-ingressgateway"
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
      Then the product page of c1 shows everybody reviews without stars from c1, all of 50 times
      And the product page of c1 shows jason that reviews are unavailable, and c2 has seen nothing of it

    # By the proxies' access logs, which not every mesh writes in a form that can be read.
    @extended @peer-identity
    Scenario: A peer that is not who it should be is turned away at the handshake
      Given the owner of c1 expects c2 to be "spiffe://c9.example.com/istio-private-ingressgateway"
      When the owner of c1 applies:
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
      Then the product page of c1 shows everybody that reviews are unavailable, and c2 has seen nothing of it
      And the broken layer of "GET http://reviews:9080/reviews/0" in c1 is "handshake", because "CERTIFICATE_VERIFY_FAILED"
      And it was never sent to the gateway of c2

    # The peer's refusal says that the way to it is there. Without it the page would
    # have no reviews either.
    @core @header-routing
    Scenario: What the peer does not expose stays out of reach
      When the owner of c1 applies:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Consumption
        metadata: {name: reviews, namespace: default}
        spec:
          service: {name: reviews, port: 9080}
          from: {peer: c2, path: /bookinfo/myreviews/v3/}
          routes:
          - match: {headers: [{name: end-user, exact: jason}]}
            to: [{target: remote, weight: 100}]
          - to: [{target: local, subset: v1, weight: 100}]
        """
      Then soon, in c1, "GET http://reviews:9080/reviews/0" by jason is refused: denied by policy
      And the product page of c1 shows jason that reviews are unavailable, and c2 has seen nothing of it
      And the product page of c1 shows everybody reviews without stars from c1, all of 50 times

    @extended
    Scenario: What the peer does not expose is asked for once
      When the owner of c1 applies:
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
      Then soon, in c1, "GET http://reviews:9080/reviews/0" is refused: denied by policy
      And it was sent to the gateway of c2 once

    @extended
    Scenario: What the peer refuses is not tried again
      Given the owner of c1 applies:
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
      And in c1, "GET http://reviews:9080/reviews/0" is answered by reviews v2 of c2
      Then in c1, "POST http://reviews:9080/reviews/0" is refused: denied by policy
      And it was sent to the gateway of c2 once

  Rule: The consumer can go back at any time

    @core
    Scenario: After a cancel the reviews are local again
      Given the owner of c1 applies:
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
      When the owner of c1 cancels
      Then the product page of c1 shows everybody reviews without stars from c1, all of 50 times
      And nothing of the engine is left in c1
