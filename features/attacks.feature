@expose
Feature: Attacks on the boundary are refused
  Each row is tried once, as bytes, between two requests that are answered, and
  no workload of any mesh may have seen it. The last column says where the
  attack was seen in the wild, or which rule it breaks.

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

  @core
  Scenario: Certificates that only look right
    Then at c2, each of these attacks is refused:
      | attack                                | caller                                      | request                              | refusal                        | source                        |
      | plain HTTP                            | plain HTTP                                  | GET /bookinfo/myreviews/v2/reviews/0 | no handshake                   | STRICT mutual TLS             |
      | TLS without a certificate             | no certificate                              | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert certificate_required | STRICT mutual TLS             |
      | the right name by another CA          | c1's name from another CA                   | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert unknown_ca           | SPIFFE X.509-SVID 5           |
      | the right name, signed by itself      | c1's certificate, signed by itself          | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert unknown_ca           | SPIFFE X.509-SVID 5           |
      | an expired certificate                | c1's certificate, expired                   | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert certificate_expired  | RFC 5280 4.1.2.5              |
      | a certificate of tomorrow             | c1's certificate, not yet valid             | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert certificate_expired  | RFC 5280 4.1.2.5              |
      | a server's certificate                | c1's certificate, for servers only          | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert unsupported_certificate | CVE-2022-21657             |
      | a name that begins alike              | c1's certificate, a longer name             | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy               | trust domain validation       |
      | another trust domain by case          | c1's certificate, its name in capitals      | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy               | SPIFFE-ID 2.1                 |
      | a dot that a pattern would let vary   | c1's certificate, another letter for a dot  | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy               | CVE-2026-39350                |
      | no name at all                        | c1's certificate, no name at all            | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy               | SPIFFE X.509-SVID 2           |
      | the name as an OtherName              | c1's certificate, its name as an OtherName  | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy               | CVE-2025-66220                |
      | a NUL byte after the name             | c1's certificate, a NUL byte after its name | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy               | CVE-2026-47778                |
      | another mesh of the same root         | c3's certificate                            | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy               | best practices, default deny  |

  # Envoy's matcher "authenticated", which Istio renders for principals, takes
  # any URI or DNS name that spells the same. Only the authority that all peers
  # share could issue such a certificate.
  @extended @known-gap=istio-renders-authenticated-principal
  Scenario: A name that is spelled as one of another kind is no identity
    Then at c2, each of these attacks is refused:
      | attack                   | caller                                   | request                              | refusal          | source                  |
      | the name as a DNS name   | c1's certificate, its name as a DNS name | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy | Envoy, rbac.v3.Principal |

  @extended @known-gap=istio-renders-authenticated-principal
  Scenario: A certificate with two names has no identity
    Then at c2, each of these attacks is refused:
      | attack                   | caller                                   | request                              | refusal          | source                  |
      | another mesh's name first | c1's certificate, c9's name first       | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy | SPIFFE X.509-SVID 2     |

  @core
  Scenario: Names that lead elsewhere
    Then at c2, each of these attacks is refused:
      | attack                       | caller                                                                                        | request                              | refusal          | source         |
      | SNI of a local service       | c1's certificate and SNI "ratings.bookinfo.svc.cluster.local"                                 | GET /ratings/0                       | no handshake     | CVE-2021-31921 |
      | SNI as AUTO_PASSTHROUGH has it | c1's certificate and SNI "outbound_.9080_._.ratings.bookinfo.svc.cluster.local"             | GET /ratings/0                       | no handshake     | CVE-2021-31921 |
      | SNI of istiod                | c1's certificate and SNI "istiod.istio-system.svc"                                            | GET /debug/configz                   | no handshake     | CVE-2022-23635 |
      | SNI of the API server        | c1's certificate and SNI "kubernetes.default.svc"                                             | GET /version                         | no handshake     | CVE-2026-31838 |
      | no SNI                       | c1's certificate and no SNI                                                                   | GET /bookinfo/myreviews/v2/reviews/0 | no handshake     | GEP-3567       |
      | host of a local service      | c1's certificate and host "ratings.bookinfo.svc.cluster.local"                                | GET /ratings/0                       | denied by policy | GEP-3567       |
      | host with a trailing dot     | c1's certificate and host "c2.example.com."                                                   | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy | CVE-2021-39155 |
      | host with another port       | c1's certificate and host "c2.example.com:80"                                                 | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy | 2021-008       |
      | host with a user             | c1's certificate and host "c2.example.com@ratings.bookinfo"                                   | GET /bookinfo/myreviews/v2/reviews/0 | malformed or denied | RFC 9110 4.2.4 |
      | an absolute target of another host | c1's certificate                                                                        | GET http://ratings.bookinfo/bookinfo/myreviews/v2/reviews/0 | malformed or denied | RFC 9112 3.2.2 |

  @core
  Scenario: Paths that two readers read differently
    Then at c2, each of these attacks is refused:
      | attack                      | caller           | request                                               | refusal             | source         |
      | a fragment                  | c1's certificate | GET /bookinfo/myreviews/v2#/reviews/0                  | malformed or denied | CVE-2021-39156 |
      | a fragment behind a denied path | c1's certificate | GET /ratings/0#/bookinfo/myreviews/v2/            | malformed or denied | CVE-2021-39156 |
      | an escaped slash            | c1's certificate | GET /bookinfo/myreviews/v2/..%2f..%2fratings/0        | denied by policy    | CVE-2021-31920 |
      | an escaped backslash        | c1's certificate | GET /bookinfo/myreviews/v2/..%5c..%5cratings/0        | denied by policy    | CVE-2021-31920 |
      | slashes to be merged        | c1's certificate | GET //ratings//0                                      | denied by policy    | CVE-2021-31920 |
      | dots with a parameter       | c1's certificate | GET /bookinfo/myreviews/v2/..;/..;/ratings/0          | denied by policy    | CVE-2021-31920 |
      | overlong UTF-8              | c1's certificate | GET /bookinfo/myreviews/%c0%af/ratings/0              | malformed or denied | RFC 3629 10    |
      | an escaped NUL              | c1's certificate | GET /bookinfo/myreviews/v2/%00                        | malformed or denied | Istio, normalisation tests |
      | a NUL byte                  | c1's certificate | GET /bookinfo/myreviews/v2/<NUL>                      | malformed           | RFC 9112 3.2   |
      | a control byte              | c1's certificate | GET /bookinfo/myreviews/v2/<DEL>                      | malformed or denied | RFC 9112 3.2   |
      | 64 KiB of path              | c1's certificate | GET /bookinfo/myreviews/v2/<64KiB>                    | malformed           | Envoy, edge best practices |
      | the server as a whole       | c1's certificate | OPTIONS *                                             | no route            | RFC 9112 3.2.4 |
      | no path                     | c1's certificate | GET reviews                                           | malformed or denied | RFC 9112 3.2   |

  @core
  Scenario: Requests that hide another one, and lines that nobody can read
    Then at c2, each of these attacks is refused:
      | attack                       | caller           | request                               | lines                                                     | after                                                                       | refusal   | source         |
      | two lengths                  | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | Content-Length: 4<CRLF>Content-Length: 5                  | abcde                                                                       | malformed | RFC 9112 6.3   |
      | a length and chunks          | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | Content-Length: 5<CRLF>Transfer-Encoding: chunked         | 0<CRLF><CRLF>GET /ratings/0 HTTP/1.1<CRLF>Host: c2.example.com<CRLF>X-Meshfed-Nonce: <NONCE><CRLF><CRLF> | malformed | RFC 9112 6.1 |
      | a chunked that is not        | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | Transfer-Encoding: xchunked                               | 0<CRLF><CRLF>                                                               | not implemented | RFC 9112 6.1   |
      | a length below zero          | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | Content-Length: -1                                        |                                                                             | malformed | RFC 9110 8.6   |
      | a space before the colon     | c1's certificate | GET /bookinfo/myreviews/v2/reviews/0  | X-Role : admin                                            |                                                                             | malformed | RFC 9112 5.1   |
      | a NUL in a line              | c1's certificate | GET /bookinfo/myreviews/v2/reviews/0  | X-Role: a<NUL>b                                           |                                                                             | malformed | RFC 9110 5.5   |
      | a second host                | c1's certificate | GET /bookinfo/myreviews/v2/reviews/0  | Host: ratings.bookinfo                                    |                                                                             | malformed or denied | RFC 9112 3.2   |
      | 64 KiB of a line             | c1's certificate | GET /bookinfo/myreviews/v2/reviews/0  | X-Role: <64KiB>                                           |                                                                             | malformed | Envoy, edge best practices |
      | a method by another name     | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | X-HTTP-Method-Override: GET                               |                                                                             | denied by policy | best practices |
      | an upgrade                   | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | Connection: upgrade<CRLF>Upgrade: websocket               | GET /ratings/0 HTTP/1.1<CRLF>Host: c2.example.com<CRLF>X-Meshfed-Nonce: <NONCE><CRLF><CRLF> | malformed or denied | CVE-2025-64763 |

  @core
  Scenario: Lines by which only proxies speak
    Then at c2, with "GET /bookinfo/myreviews/v2/reviews/0" by c1's certificate none of these lines reaches a workload as it was sent:
      | line                          | value                                          |
      | X-Forwarded-Client-Cert       | By=spiffe://forged/a;URI=spiffe://forged/admin |
      | X-Envoy-Internal              | forged                                         |
      | X-Envoy-Original-Path         | /forged                                        |
      | X-Envoy-Decorator-Operation   | forged                                         |
      | X-Envoy-Upstream-Rq-Timeout-Ms | 987654                                        |
      | X-Envoy-Retry-On              | forged                                         |
      | X-Forwarded-Proto             | forged                                         |
      | X-Role                        | a<CR>b                                         |
