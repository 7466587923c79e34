@expose @acl
Feature: Who may call what is decided at the boundary
  "Change the RBAC policy to allow only the c1 cluster to access reviews and
  only the c3 cluster to access ratings."

  Background:
    Given the owner of c2 applies:
      """yaml
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: reviews-v3, namespace: bookinfo}
      spec:
        service: {name: myreviews, port: 9080, subset: v3}
        path: /bookinfo/myreviews/v3/
        consumers:
        - {peer: c1, methods: [GET]}
      ---
      apiVersion: federation.meshfed.io/v1alpha1
      kind: Exposure
      metadata: {name: ratings-v1, namespace: bookinfo}
      spec:
        service: {name: ratings, port: 9080, subset: v1}
        path: /bookinfo/ratings/v1/
        consumers:
        - {peer: c3, methods: [GET]}
      """
    And at c2, "GET /bookinfo/myreviews/v3/reviews/0" with c1's certificate is answered by reviews v3 of c2
    And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c3's certificate is answered by ratings v1 of c2

  Rule: Each identity has what was granted to it

    @core
    Scenario: The four calls of the seed
      Then at c2, "GET /bookinfo/myreviews/v3/reviews/0" with c1's certificate is answered by reviews v3 of c2
      And at c2, "GET /bookinfo/myreviews/v3/reviews/0" with c3's certificate is refused: denied by policy
      And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is refused: denied by policy
      And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c3's certificate is answered by ratings v1 of c2

    @core
    Scenario: Every identity, path and method
      # "-" is a refusal by policy that no workload has seen. c9 is of the same
      # root and nobody's peer. HEAD is left out: its answer has no body, so that
      # a refusal could not be attributed.
      Then with these certificates, methods and paths, c2 answers or refuses:
        | certificate      | path                             | GET              | POST | PUT | PATCH | DELETE | OPTIONS |
        | c1's certificate | /bookinfo/myreviews/v3/reviews/0 | reviews v3 of c2 | -    | -   | -     | -      | -       |
        | c1's certificate | /bookinfo/ratings/v1/ratings/0   | -                | -    | -   | -     | -      | -       |
        | c1's certificate | /bookinfo/myreviews/v2/reviews/0 | -                | -    | -   | -     | -      | -       |
        | c1's certificate | /                                | -                | -    | -   | -     | -      | -       |
        | c3's certificate | /bookinfo/myreviews/v3/reviews/0 | -                | -    | -   | -     | -      | -       |
        | c3's certificate | /bookinfo/ratings/v1/ratings/0   | ratings v1 of c2 | -    | -   | -     | -      | -       |
        | c3's certificate | /bookinfo/myreviews/v2/reviews/0 | -                | -    | -   | -     | -      | -       |
        | c3's certificate | /                                | -                | -    | -   | -     | -      | -       |
        | c2's certificate | /bookinfo/myreviews/v3/reviews/0 | -                | -    | -   | -     | -      | -       |
        | c2's certificate | /bookinfo/ratings/v1/ratings/0   | -                | -    | -   | -     | -      | -       |
        | c9's certificate | /bookinfo/myreviews/v3/reviews/0 | -                | -    | -   | -     | -      | -       |
        | c9's certificate | /bookinfo/ratings/v1/ratings/0   | -                | -    | -   | -     | -      | -       |

  Rule: A change takes effect while traffic runs

    @core
    Scenario: A grant is taken away
      Given from now on, at c2, "GET /bookinfo/myreviews/v3/reviews/0" with c1's certificate is asked all the time
      When the owner of c2 applies:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Exposure
        metadata: {name: reviews-v3, namespace: bookinfo}
        spec:
          service: {name: myreviews, port: 9080, subset: v3}
          path: /bookinfo/myreviews/v3/
          consumers:
          - {peer: c3, methods: [GET]}
        """
      Then what is asked all the time is answered at most 400ms after that, and never again
      And at c2, "GET /bookinfo/myreviews/v3/reviews/0" with c3's certificate is answered by reviews v3 of c2

    @core
    Scenario: A grant is given
      Given from now on, at c2, "GET /bookinfo/ratings/v1/ratings/0" with c1's certificate is asked all the time
      When the owner of c2 applies:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Exposure
        metadata: {name: ratings-v1, namespace: bookinfo}
        spec:
          service: {name: ratings, port: 9080, subset: v1}
          path: /bookinfo/ratings/v1/
          consumers:
          - {peer: c1, methods: [GET]}
          - {peer: c3, methods: [GET]}
        """
      Then what is asked all the time was refused, and is answered at most 1s after that
      And at c2, "GET /bookinfo/ratings/v1/ratings/0" with c3's certificate is answered by ratings v1 of c2

  Rule: A third mesh consumes what it was granted

    @extended @consume @clusters-3
    Scenario: c3 has the ratings of c2 under a name of its own, and no reviews
      Given there are 3 meshes
      When the owner of c3 applies:
        """yaml
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Consumption
        metadata: {name: stars, namespace: default}
        spec:
          service: {name: stars, port: 9080}
          from: {peer: c2, path: /bookinfo/ratings/v1/}
          routes:
          - to: [{target: remote, weight: 100}]
        ---
        apiVersion: federation.meshfed.io/v1alpha1
        kind: Consumption
        metadata: {name: reviews, namespace: default}
        spec:
          service: {name: reviews, port: 9080}
          from: {peer: c2, path: /bookinfo/myreviews/v3/}
          routes:
          - to: [{target: remote, weight: 100}]
        """
      Then in c3, "GET http://stars:9080/ratings/0" is answered by ratings v1 of c2
      And soon, in c3, "GET http://reviews:9080/reviews/0" is refused: denied by policy
