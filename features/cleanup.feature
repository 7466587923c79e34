@expose @consume
Feature: The engine removes what it made, and nothing else
  "Cleanup": every object of the federation is gone, and the owners' own are as
  they were, those of the same kinds in the same namespaces included.

  Background:
    Given the meshes c1 and c2 are paired
    And the owner of c1 has in the mesh:
      """yaml
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: details, namespace: default}
      spec:
        hosts: [details]
        http:
        - route: [{destination: {host: details, subset: v1}}]
      ---
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: notes, namespace: istio-private-gateways, labels: {app.kubernetes.io/managed-by: a-person}}
      data: {owner: c1}
      """
    And the owner of c2 has in the mesh:
      """yaml
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: another, namespace: istio-private-gateways}
      spec:
        selector: {istio: nobody}
        servers:
        - port: {number: 8080, name: http, protocol: HTTP}
          hosts: [another.example.com]
      """

  @core
  Scenario: Everything of the federation is gone, and everything else is as it was
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
    And the owner of c1 applies:
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
    And the owner of c2 cancels
    Then what the owner of c1 has in the mesh is untouched
    And what the owner of c2 has in the mesh is untouched
    And only what the owners have is in c1 and c2
    And the product page of c1 shows everybody reviews without stars from c1, all of 50 times

  @core
  Scenario: A second cancel finds nothing and harms nothing
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
    When the owner of c2 cancels
    And the owner of c2 cancels again
    Then what the owner of c2 has in the mesh is untouched
