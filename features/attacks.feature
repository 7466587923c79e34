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
      | a version of TLS that is retired      | c1's certificate over TLS 1.1               | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert protocol_version     | RFC 8996                      |
      | the right name by another CA          | c1's name from another CA                   | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert unknown_ca           | SPIFFE X.509-SVID 5           |
      | the right name, signed by itself      | c1's certificate, signed by itself          | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert unknown_ca           | SPIFFE X.509-SVID 5           |
      | an expired certificate                | c1's certificate, expired                   | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert certificate_expired  | RFC 5280 4.1.2.5              |
      | a certificate of tomorrow             | c1's certificate, not yet valid             | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert certificate_expired  | RFC 5280 4.1.2.5              |
      | a clock that is ten minutes ahead     | c1's certificate, of a clock ten minutes ahead  | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert certificate_expired | RFC 5280 4.1.2.5           |
      | a clock that is ten minutes behind    | c1's certificate, of a clock ten minutes behind | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert certificate_expired | RFC 5280 4.1.2.5           |
      | an authority that may not name it     | c1's certificate, from an authority for c9 alone | GET /bookinfo/myreviews/v2/reviews/0 | TLS alert certificate_unknown | CVE-2022-21657, name constraints |
      | the name as a common name             | c1's certificate, its name as the common name | GET /bookinfo/myreviews/v2/reviews/0 | denied by policy             | RFC 9525 2, SPIFFE X.509-SVID 2 |
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
  # share could issue such a certificate: entrances.feature is without one.
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
      | the same, as a sidecar would | c1's certificate and SNI "outbound_.9080_._.ratings.bookinfo.svc.cluster.local" like a sidecar | GET /ratings/0                       | no handshake     | CVE-2021-31921 |
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
      | other letters for the same  | c1's certificate | GET /Bookinfo/MyReviews/V2/reviews/0                  | denied by policy    | RFC 3986 6.2.2.1 |
      | a letter encoded twice      | c1's certificate | GET /bookinfo/%256dyreviews/v2/reviews/0              | denied by policy    | Istio, normalisation tests |
      | slashes encoded twice       | c1's certificate | GET /bookinfo/myreviews/v2%252f..%252f..%252fratings/0 | denied by policy   | Istio, normalisation tests |
      | dots encoded twice          | c1's certificate | GET /ratings/0/%252e%252e/%252e%252e/bookinfo/myreviews/v2/reviews/0 | denied by policy | Istio, normalisation tests |
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
      | a request behind the last chunk | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | Transfer-Encoding: chunked                            | 5<CRLF>hello<CRLF>0<CRLF><CRLF>GET /ratings/0 HTTP/1.1<CRLF>Host: c2.example.com<CRLF>X-Meshfed-Nonce: <NONCE><CRLF><CRLF> | denied by policy | RFC 9112 11.2 |
      | the same, an upload to the product page | c1's certificate | POST /productpage             | Transfer-Encoding: chunked                            | 5<CRLF>hello<CRLF>0<CRLF><CRLF>GET /ratings/0 HTTP/1.1<CRLF>Host: c2.example.com<CRLF>X-Meshfed-Nonce: <NONCE><CRLF><CRLF> | denied by policy | RFC 9112 11.2 |
      | a chunk's extension that ends early | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | Transfer-Encoding: chunked                        | 5;a<LF>b<CRLF>hello<CRLF>0<CRLF><CRLF>GET /ratings/0 HTTP/1.1<CRLF>Host: c2.example.com<CRLF>X-Meshfed-Nonce: <NONCE><CRLF><CRLF> | malformed or denied | CVE-2025-22871 |
      | a chunk's length that overflows | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | Transfer-Encoding: chunked                            | 10000000000000005<CRLF>hello<CRLF>0<CRLF><CRLF>GET /ratings/0 HTTP/1.1<CRLF>Host: c2.example.com<CRLF>X-Meshfed-Nonce: <NONCE><CRLF><CRLF> | malformed or denied | RFC 9112 7.1 |
      | a length below zero          | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | Content-Length: -1                                        |                                                                             | malformed | RFC 9110 8.6   |
      | a space before the colon     | c1's certificate | GET /bookinfo/myreviews/v2/reviews/0  | X-Role : admin                                            |                                                                             | malformed | RFC 9112 5.1   |
      | a NUL in a line              | c1's certificate | GET /bookinfo/myreviews/v2/reviews/0  | X-Role: a<NUL>b                                           |                                                                             | malformed | RFC 9110 5.5   |
      | a second host                | c1's certificate | GET /bookinfo/myreviews/v2/reviews/0  | Host: ratings.bookinfo                                    |                                                                             | malformed or denied | RFC 9112 3.2   |
      | 64 KiB of a line             | c1's certificate | GET /bookinfo/myreviews/v2/reviews/0  | X-Role: <64KiB>                                           |                                                                             | malformed | Envoy, edge best practices |
      | a method by another name     | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | X-HTTP-Method-Override: GET                               |                                                                             | denied by policy | best practices |
      | an upgrade                   | c1's certificate | POST /bookinfo/myreviews/v2/reviews/0 | Connection: upgrade<CRLF>Upgrade: websocket               | GET /ratings/0 HTTP/1.1<CRLF>Host: c2.example.com<CRLF>X-Meshfed-Nonce: <NONCE><CRLF><CRLF> | malformed or denied | CVE-2025-64763 |

  # RFC 9112 11.2. The connection lives on, so that what hides is not lost with it.
  @core
  Scenario: A request that hides behind the end of a live upload
    Then at c2, behind a chunked upload to "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate, "GET /ratings/0" is judged by itself and refused: denied by policy
    And at c2, behind a chunked upload to "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate, "GET /bookinfo/myreviews/v3/reviews/0" is judged by itself and refused: denied by policy

  @core
  Scenario: Frames that no client should send
    Then at c2, each of these attacks is refused:
      | attack             | caller           | http2                              | request                              | refusal                    | source         |
      | a request line in a path | c1's certificate | a line feed in :path         | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.2.1 |
      | CRLF in a method   | c1's certificate | a request line in :method          | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.2.1 |
      | no path            | c1's certificate | no :path                           | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.3.1 |
      | an empty path      | c1's certificate | an empty :path                     | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.3.1 |
      | two paths          | c1's certificate | two :paths                         | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.3   |
      | two authorities    | c1's certificate | two :authorities                   | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.3   |
      | an unknown pseudo-header | c1's certificate | a pseudo-header of its own   | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.3   |
      | a status           | c1's certificate | a :status in a request             | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.3   |
      | a late path        | c1's certificate | :path after a header               | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.3   |
      | capitals           | c1's certificate | a name in capitals                 | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.2.1 |
      | a line feed        | c1's certificate | a line feed in a value             | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.2.1 |
      | a carriage return  | c1's certificate | a carriage return in a value       | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.2.1 |
      | a NUL              | c1's certificate | a NUL in a value                   | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.2.1 |
      | a colon in a name  | c1's certificate | a colon in a name                  | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.2.1 |
      | chunks             | c1's certificate | transfer-encoding                  | POST /bookinfo/myreviews/v2/reviews/0 | connection ended          | RFC 9113 8.2.2 |
      | a connection header | c1's certificate | a connection header               | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.2.2 |
      | two lengths        | c1's certificate | two lengths                        | POST /bookinfo/myreviews/v2/reviews/0 | connection ended          | RFC 9113 8.1.1 |
      | a length of nothing | c1's certificate | a length and no data              | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 8.1.1 |
      | another authority beside the host | c1's certificate and host "ratings.bookinfo.svc.cluster.local" | a host beside :authority | GET /ratings/0 | denied by policy | RFC 9113 8.3.1 |
      | a server's stream  | c1's certificate | a stream of the server's           | GET /bookinfo/myreviews/v2/reviews/0 | connection ended           | RFC 9113 5.1.1 |
      | data on stream 0   | c1's certificate | data on stream 0                   | GET /bookinfo/myreviews/v2/reviews/0 | GOAWAY PROTOCOL_ERROR      | RFC 9113 6.1   |
      | too large a frame  | c1's certificate | a frame larger than agreed         | POST /bookinfo/myreviews/v2/reviews/0 | denied or ended           | RFC 9113 4.2   |
      | a window's overflow | c1's certificate | a window that overflows           | POST /bookinfo/myreviews/v2/reviews/0 | denied or ended           | RFC 9113 6.9.1 |
      | another host on a connection in use | c1's certificate and host "ratings.bookinfo.svc.cluster.local" | another host on the second stream | GET /ratings/0 | denied by policy | GEP-3567 |

  # Such a call is refused in its own words: status 200, and grpc-status 7.
  @core
  Scenario: Calls of gRPC are judged as everything else
    Then at c2, each of these attacks is refused:
      | attack                     | caller                                                          | http2         | lines                                                   | request                               | refusal          | source |
      | a method of no service     | c1's certificate                                                | nothing wrong | Content-Type: application/grpc<CRLF>TE: trailers        | POST /ratings.Ratings/Get             | denied by policy | best practices, default deny |
      | a path that is only read   | c1's certificate                                                | nothing wrong | Content-Type: application/grpc<CRLF>TE: trailers        | POST /bookinfo/myreviews/v2/reviews/0 | denied by policy | best practices, default deny |
      | another mesh               | c3's certificate                                                | nothing wrong | Content-Type: application/grpc<CRLF>TE: trailers        | POST /bookinfo/myreviews/v2/reviews/0 | denied by policy | best practices, default deny |
      | a host of a local service  | c1's certificate and host "ratings.bookinfo.svc.cluster.local"  | nothing wrong | Content-Type: application/grpc+proto<CRLF>TE: trailers  | POST /ratings.Ratings/Get             | denied by policy | GEP-3567 |
      | reflection                 | c1's certificate                                                | nothing wrong | Content-Type: application/grpc<CRLF>TE: trailers        | POST /grpc.reflection.v1.ServerReflection/ServerReflectionInfo | denied by policy | Envoy, edge best practices |
      | gRPC for browsers          | c1's certificate                                                | nothing wrong | Content-Type: application/grpc-web+proto<CRLF>X-Grpc-Web: 1 | POST /ratings.Ratings/Get         | denied by policy | best practices, default deny |

  @core
  Scenario: Floods of frames are cut short
    Then at c2, each of these attacks is refused:
      | attack            | caller           | http2                              | request                              | refusal                  | source         |
      | rapid reset       | c1's certificate | streams that are reset at once     | GET /bookinfo/myreviews/v2/reviews/0 | connection ended         | CVE-2023-44487 |
      | CONTINUATION      | c1's certificate | a head that never ends             | GET /bookinfo/myreviews/v2/reviews/0 | RST_STREAM INTERNAL_ERROR | CVE-2024-30255 |
      | HPACK bomb        | c1's certificate | a head that unpacks to megabytes   | GET /bookinfo/myreviews/v2/reviews/0 | RST_STREAM INTERNAL_ERROR | CVE-2026-47774 |
      | cookie bomb       | c1's certificate | a cookie in ten thousand crumbs    | GET /bookinfo/myreviews/v2/reviews/0 | RST_STREAM INTERNAL_ERROR | CVE-2026-47774 |
      | pings             | c1's certificate | pings without end                  | GET /bookinfo/myreviews/v2/reviews/0 | connection ended         | CVE-2019-9512  |
      | settings          | c1's certificate | settings without end               | GET /bookinfo/myreviews/v2/reviews/0 | connection ended         | CVE-2019-9515  |
      | empty data        | c1's certificate | empty data without end             | POST /bookinfo/myreviews/v2/reviews/0 | denied or ended          | CVE-2019-9518 |
      | priorities        | c1's certificate | priorities without end             | GET /bookinfo/myreviews/v2/reviews/0 | connection ended         | CVE-2019-9513  |

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

  # Of silence nobody knows whose it is: it costs a stranger nothing either.
  @extended
  Scenario Outline: Two thousand connections that <habit> are cheap
    When 2000 connections to c2 with <caller> that <habit>
    Then at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c1's certificate is answered by reviews v2 of c2
    And at c2, "GET /bookinfo/myreviews/v2/reviews/0" with c3's certificate is refused: denied by policy
    And the private ingress gateway of c2 holds at most 50 kB more for each of these connections

    Examples:
      | caller           | habit                    |
      | no certificate   | say nothing              |
      | c1's certificate | ask for nothing          |
      | c1's certificate | send a head byte by byte |

  @extended @long
  Scenario: A crowd that sends heads byte by byte costs nobody else
    When for 15 seconds 60 requests a second arrive at c2, by turns:
      | name         | request                                  | with             |
      | served alone | GET /bookinfo/myreviews/v2/reviews/0     | c1's certificate |
    And 1000 connections to c2 with c3's certificate that send a head byte by byte
    And for 15 seconds 60 requests a second arrive at c2, by turns:
      | name          | request                                 | with             |
      | served beside | GET /bookinfo/myreviews/v2/reviews/0    | c1's certificate |
    Then each of "served alone" is answered by reviews v2 of c2
    And each of "served beside" is answered by reviews v2 of c2
    And "served beside" takes at most 20 % longer than "served alone" at p90
