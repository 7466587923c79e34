@expose
Feature: A peer comes in by an entrance of its own
  Where all peers come in by one name, their roots stand in one bundle, and each
  of them could sign another one's name; what stops it then is good will. An
  entrance of its own has a server name, a certificate authority and a client's
  name that are one peer's and nobody else's (SPIFFE, Federation 4.2 and 7.3:
  bundles of different trust domains are not merged).

  Background:
    Given the meshes c1 and c2 are paired
    And the owner of c2 has an entrance for c1 alone and one for c3 alone
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
      ---
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: ratings, namespace: bookinfo}
      spec:
        service: {name: ratings, port: 9080, subset: v1}
        path: /bookinfo/ratings/v1/
        consumers:
        - {peer: c3, methods: [GET]}
      """
    And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c3's certificate by c3's own CA, at "c3.c2.example.com" is answered by ratings v1 of c2
    And at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate by c1's own CA, at "c1.c2.example.com" is answered by reviews v2 of c2

  @extended @acl
  Scenario: One peer's authority cannot make another peer's name
    Then at c2, each of these attacks is refused:
      | attack                                    | caller                                                                               | request                              | refusal                       | source                |
      | c1's name by c3's authority, at c1's      | c1's certificate by c3's own CA, at "c1.c2.example.com"                              | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert unknown_ca          | SPIFFE Federation 4.2 |
      | c1's name by c3's authority, at c3's      | c1's certificate by c3's own CA, at "c3.c2.example.com"                              | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert certificate_unknown | SPIFFE Federation 7.3 |
      | c1's name as a DNS name, at c1's          | c1's certificate, its name as a DNS name by c3's own CA, at "c1.c2.example.com"      | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert unknown_ca          | Envoy, rbac.v3.Principal |
      | c1's name as a DNS name, at c3's          | c1's certificate, its name as a DNS name by c3's own CA, at "c3.c2.example.com"      | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert certificate_unknown | Envoy, rbac.v3.Principal |
      | c1's name beside another one, at c1's     | c1's certificate, c9's name first by c3's own CA, at "c1.c2.example.com"             | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert unknown_ca          | SPIFFE X.509-SVID 2   |
      | c1's name beside another one, at c3's     | c1's certificate, c9's name first by c3's own CA, at "c3.c2.example.com"             | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert certificate_unknown | SPIFFE X.509-SVID 2   |
      | c1 itself, at c3's                        | c1's certificate by c1's own CA, at "c3.c2.example.com"                              | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert unknown_ca          | SPIFFE Federation 4.2 |
      | c1's name by the mesh's root, at c1's     | c1's certificate and SNI "c1.c2.example.com"                                         | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert unknown_ca          | SPIFFE Federation 4.2 |
      | c3's session, at c1's                     | c3's certificate by c3's own CA, at "c1.c2.example.com" by a session of "c3.c2.example.com" | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert unknown_ca   | CVE-2022-21654        |
      | c3 itself, for what is c1's               | c3's certificate by c3's own CA, at "c3.c2.example.com"                              | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy              | best practices, default deny |
      | c1 at the entrance that nobody has        | c1's certificate by c1's own CA, at "c2.example.com"                                 | GET /bookinfo/myreviews/v2/reviews/0 | no handshake                  | fail closed           |

  @extended @acl
  Scenario: The boundary of a mesh with entrances is as declared
    Then the boundary of c2 is as declared, in each of at least 500 cells

  @extended @acl
  Scenario: A peer that comes in with all others leaves the entrances as they are
    When the owner of c2 has an entrance for c1 alone and none for c3
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
        - {peer: c3, methods: [GET]}
      """
    Then within 5s at c2, "GET /bookinfo/ratings/v1/ratings/0" with c3's certificate by c3's own CA, at "c3.c2.example.com" is not answered any more
    And at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c3's certificate is answered by reviews v2 of c2
    And at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is refused: denied by policy
    And the boundary of c2 is as declared, in each of at least 500 cells

  @extended @consume
  Scenario: A consumer comes in by its own entrance
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
    Then in c1, "GET http://reviews:9080/reviews/0" is answered by reviews v2 of c2
    When the owner of c1 cancels
    Then in c1, "GET http://reviews:9080/reviews/0" is answered by reviews v1 of c1

  @extended
  Scenario: With the last exposure the entrances are gone
    When the owner of c2 cancels
    Then within 5s at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate by c1's own CA, at "c1.c2.example.com" is not answered any more
    And only what the owners have is in c1 and c2
