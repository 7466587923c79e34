Feature: The meshes are apart
  "You want expose-nothing behavior by default": what the other features prove
  is worth nothing if a packet could take another way. There is no route
  between the clusters but the one to their private gateways, and none out of
  the place where they run.

  Background:
    Given in c1, "GET http://reviews:9080/reviews/0" is answered by reviews v1 of c1

  Rule: Another cluster cannot be reached

    @core
    Scenario Outline: From a pod of <from>, <target> of <to> cannot be reached
      Then from <from>, <target> of <to> cannot be reached

      Examples:
        | from | to | target                |
        | c1   | c2 | a reviews pod         |
        | c1   | c2 | the reviews service   |
        | c1   | c2 | the node              |
        | c1   | c2 | the API server        |
        | c2   | c1 | a reviews pod         |
        | c2   | c1 | the reviews service   |
        | c2   | c1 | the node              |
        | c2   | c1 | the API server        |

  Rule: There is no way out

    @core
    Scenario Outline: From a pod of c1, <target> cannot be reached
      Then from c1, "<target>" cannot be reached

      Examples: documentation addresses, which lead nowhere, public ones, and a name
        | target              |
        | http://192.0.2.1    |
        | http://203.0.113.9  |
        | http://1.1.1.1      |
        | http://istio.io     |
