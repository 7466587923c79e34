@expose @faults
Feature: What breaks opens nothing
  Gateways die, control planes are away, links are cut. Whatever happens, who is
  denied stays denied: not one of all requests of five kinds of callers is
  accepted, neither while it is broken nor while it comes back. What is allowed
  goes on where no part of its way is broken, and comes back elsewhere.

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
    And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is answered by ratings v1 of c2

  Rule: What is not on the way is not missed

    @extended
    Scenario Outline: Nobody misses it while <fault>
      When for 2s <fault>, while all kinds of callers ask c2 for "GET /bookinfo/ratings/v1/ratings/0"
      Then nothing that is allowed has failed
      And nothing that is denied was accepted, not once

      Examples:
        | fault                           |
        | the control plane of c2 is killed |
        | the API server of c2 is paused  |
        | etcd of c2 is paused            |
        | the whole cluster of c1 is paused |

  Rule: An engine or a control plane that has died takes up its work again

    @extended
    Scenario Outline: Nobody misses it while <fault>, and the owner goes on afterwards
      When for 2s <fault>, while all kinds of callers ask c2 for "GET /bookinfo/ratings/v1/ratings/0"
      Then nothing that is allowed has failed
      And nothing that is denied was accepted, not once
      When the owner of c2 applies:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Exposure
        metadata: {name: ratings, namespace: bookinfo}
        spec:
          service: {name: ratings, port: 9080}
          path: /bookinfo/ratings/v2/
          consumers:
          - {peer: c1, methods: [GET]}
        """
      Then at c2, "GET /bookinfo/ratings/v2/ratings/0" with c1's certificate is answered by ratings v1 of c2
      And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is refused: denied by policy

      Examples:
        | fault                          |
        | the engine of c2 is killed     |
        | the API server of c2 is killed |
        | etcd of c2 is killed           |
        | the disk of etcd of c2 is full |

  Rule: What is on the way comes back

    @extended
    Scenario Outline: It comes back after <fault>
      When for 2s <fault>, while all kinds of callers ask c2 for "GET /bookinfo/ratings/v1/ratings/0"
      Then what is allowed is answered again at most <bound> after that
      And meanwhile what is allowed has <felt>
      And nothing that is denied was accepted, not once

      Examples:
        | fault                                       | felt                  | bound |
        | the private ingress gateway of c2 is killed | failed                | 10s   |
        | the whole cluster of c2 is paused           | taken 300ms or longer | 3s    |
        | the link to c2 is cut                       | failed                | 3s    |
        | the link to c2 is slowed                    | taken 300ms or longer | 3s    |
        | the link to c2 is reset                     | failed                | 1s    |

  Rule: What a mesh's own workloads ask of another comes back when the way between the gateways does

    @extended @consume
    Scenario Outline: It comes back after the link between the gateways is <trouble>
      Given from c1 to the gateway of c2 there is only a link that can be broken
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
      When for 4s that link is <trouble>, while workloads of c1 ask for "GET http://ratings:9080/ratings/0", and callers of all kinds ask c2 for "GET /bookinfo/ratings/v1/ratings/0"
      Then meanwhile what is allowed has <felt>
      And what is allowed is answered again at most 3s after that
      And nothing that is denied was accepted, not once

      Examples:
        | trouble | felt                  |
        | cut     | failed                |
        | slowed  | taken 300ms or longer |
        | reset   | failed                |
