@expose
Feature: Expose a service of one mesh to another
  "By default no service is exposed, the cluster owners must specify explicitly
  which service they want to expose. They can cancel the exposure at any point
  if they want."

  c1 and c2 share no trust, no names and no network. Only their private gateways
  meet: c2's ingress gateway asks every caller for a certificate.

  "Refused" always means four things: the request failed in the way that is
  named, it was tried once and never again until it fits, the request that was
  answered last before it is answered right before and right after it (so the
  refusal is not an outage), and no workload of the mesh has seen it.

  Background:
    Given the meshes c1 and c2 are paired

  Rule: Nothing is exposed by default

    @core
    Scenario: Before anything is exposed nobody listens for the peer
      Given in c2, "GET http://myreviews.bookinfo:9080/reviews/0" is answered by reviews of c2
      Then at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is refused: no connection

  Rule: What is exposed answers the peer it is exposed to

    @core
    Scenario: Reviews v2 is exposed under a path of its own
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
        """
      Then at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is answered by reviews v2 of c2
      And it arrived there as "GET /reviews/0" for "myreviews.bookinfo.svc.cluster.local"
      And 20 of 20 more are answered by reviews v2 of c2

  Rule: Nothing else becomes reachable

    Background:
      Given the owner of c2 applies:
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

    @core
    Scenario Outline: Another path is refused: <path>
      Then at c2, "GET <path>" with c1's certificate is refused: denied by policy

      Examples: what else there is in c2
        | path                                |
        | /                                   |
        | /reviews/0                          |
        | /bookinfo/myreviews/v3/reviews/0    |
        | /bookinfo/myreviews/v20/reviews/0   |
        | /bookinfo/myreviews/reviews/0       |
        | /bookinfo/ratings/v1/ratings/0      |
        | /bookinfo/myreviews/v2              |

      Examples: ways around the prefix
        | path                                                 |
        | /bookinfo/myreviews/v2/../v3/reviews/0               |
        | /bookinfo/myreviews/v2/%2e%2e/v3/reviews/0           |
        | /bookinfo/myreviews/v2/..%2fv3/reviews/0             |
        | /bookinfo/myreviews/v2/..%5cv3/reviews/0             |
        | /Bookinfo/myreviews/v2/reviews/0                     |

    @core @acl
    Scenario Outline: A method that was not granted is refused: <method>
      Then at c2, "<method> /bookinfo/myreviews/v2/reviews/0" with c1's certificate is refused: denied by policy

      Examples:
        | method  |
        | POST    |
        | PUT     |
        | DELETE  |
        | PATCH   |
        | OPTIONS |

    @core
    Scenario: A local name of c2 is no public name
      Then at c2, "GET /reviews/0" with c1's certificate and host "myreviews.bookinfo.svc.cluster.local" is refused: denied by policy

  Rule: Nobody else gets in

    Background:
      Given the owner of c2 applies:
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

    @core @acl
    Scenario: A mesh of the same root that was not named is refused
      Then at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c3's certificate is refused: denied by policy

    @core
    Scenario Outline: The handshake fails for a caller with <credentials>
      Then at c2, "GET /bookinfo/myreviews/v2/reviews/0" with <credentials> is refused: <refusal>

      Examples:
        | credentials                                | refusal                        |
        | no certificate                             | TLS alert certificate_required |
        | c1's name from another CA                  | TLS alert unknown_ca           |
        | c1's certificate and SNI "c1.example.com"  | no handshake                   |
        | c1's certificate and SNI "xc2.example.com" | no handshake                   |
        | c1's certificate and no SNI                | no handshake                   |
        | plain HTTP                                 | no handshake                   |

  Rule: The owner can cancel at any time

    @core
    Scenario: A cancelled exposure is gone
      Given the owner of c2 applies:
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
      When the owner of c2 cancels
      Then within 2s at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is not answered any more
      And nothing of the engine is left in c2
      And in c2, "GET http://myreviews.bookinfo:9080/reviews/0" is answered by reviews of c2
      And at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is refused: no connection

    @extended @acl
    Scenario: One of two exposures is cancelled and the other one stays
      Given the owner of c2 applies:
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
          - {peer: c1, methods: [GET]}
        """
      And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is answered by ratings v1 of c2
      And at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is answered by reviews v2 of c2
      And from now on, at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is asked all the time
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
        """
      Then none of what is asked all the time has failed
      And within 2s at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is not answered any more
      And at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is answered by reviews v2 of c2
      And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is refused: denied by policy
