@expose @core
Feature: What a hostile peer asks for is not applied
  Declarations come from elsewhere: a peer says by which name, identity and
  address it wants to be known, and somebody types it in. What would take over
  a name that is somebody else's, widen a grant, or exhaust the engine is
  refused as a whole, for a reason that is named, and nothing that was in force
  is disturbed. The same declarations without it are in force all the time.

  The exec protocol asks for the words that a refusal is to speak of: the field
  in the manner of Kubernetes and its value, "overlap" where two paths do.

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
      ---
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Peer
      metadata: {name: c8}
      spec:
        clientIdentity: spiffe://c8.example.com/istio-private-egressgateway
        serverIdentity: spiffe://c8.example.com/istio-private-ingressgateway
        address: {host: 192.0.2.8, port: 15443}
        sni: c8.example.com
      """
    And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is answered by ratings v1 of c2

  Rule: A peer cannot be what it is not

    Scenario Outline: A peer whose SNI is <sni>
      When the owner of c2 is talked into applying:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Peer
        metadata: {name: c9}
        spec:
          clientIdentity: spiffe://c9.example.com/istio-private-egressgateway
          serverIdentity: spiffe://c9.example.com/istio-private-ingressgateway
          address: {host: 192.0.2.9, port: 15443}
          sni: "<sni>"
        """
      Then it is refused, and the refusal speaks of <sni>
      And the objects of c2 are as before
      And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is answered by ratings v1 of c2

      Examples: names of the cluster itself
        | sni                                  |
        | kubernetes.default.svc.cluster.local |
        | ratings.bookinfo.svc                 |
        | printer.local                        |

      Examples: names of others
        | sni            |
        | c2.example.com |
        | c8.example.com |
        | *.example.com  |

      Examples: another alphabet
        | sni            |
        | с8.example.com |

    Scenario Outline: A peer that calls as <identity>
      Given from now on, at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is asked all the time
      When the owner of c2 is talked into applying:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Peer
        metadata: {name: c9}
        spec: {clientIdentity: "<identity>"}
        """
      Then it is refused, and the refusal speaks of <identity>
      And the objects of c2 are as before
      And none of what is asked all the time has failed

      Examples:
        | identity                                            |
        | spiffe://c1.example.com/istio-private-egressgateway |
        | spiffe://*                                          |
        | spiffe://c9.example.com/*                           |

  Rule: A path cannot be another's in disguise

    Scenario Outline: An exposure under <path>
      When the owner of c2 is talked into applying:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Exposure
        metadata: {name: reviews, namespace: bookinfo}
        spec:
          service: {name: myreviews, port: 9080}
          path: "<path>"
          consumers:
          - {peer: c8, methods: [GET]}
        """
      Then it is refused, and the refusal speaks of spec.path
      And it is refused, and the refusal speaks of <words>
      And the objects of c2 are as before
      And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is answered by ratings v1 of c2

      Examples:
        | path                     | words                      |
        | /bookinfo/ratings/v1/    | overlap                    |
        | /bookinfo//ratings/v1/   | "/bookinfo//ratings/v1/"   |
        | /bookinfo/ratings/v1/../ | "/bookinfo/ratings/v1/../" |
        | /bookinfo/%72atings/v1/  | "/bookinfo/%72atings/v1/"  |
        | /bookinfo/(a+)+/         | "/bookinfo/(a+)+/"         |
        | /                        | "/"                        |

  Rule: The engine cannot be exhausted

    Scenario Outline: <what>
      Given from now on, at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is asked all the time
      When the owner of c2 is talked into applying <what>
      Then it is refused, and the refusal speaks of <reason>
      And the objects of c2 are as before
      And none of what is asked all the time has failed

      Examples:
        | what                          | reason        |
        | a document of 100 MB          | large         |
        | a document 100000 levels deep | exceeded max  |
        | a document with 1000000 names | large         |
