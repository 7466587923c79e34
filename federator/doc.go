// Package federator connects Istio meshes that have nothing in common: it
// renders what one side exposes and consumes into Istio objects, shows what
// would change and who gains or loses what, applies it with an inventory, and
// takes it away again.
//
// Load or Parse declarations, make an Engine for a cluster, then Plan, Apply,
// Status or Cancel. A Spec is the whole wish of one cluster: what the inventory
// holds and the spec no longer renders is pruned.
//
// Words that the code uses throughout:
//
//   - wish: the desired state, a Spec, valid as a whole;
//   - in force: what the cluster holds by the inventory, which may be the earlier
//     version of a declaration that was refused since, or a part of it (Form);
//   - inventory: the ConfigMap beside the gateways that lists the objects made and
//     the declarations they were made from; it is written before the objects;
//   - boundary: what one Mesh puts around its gateways: listener, default deny;
//   - entrance: a listener of one peer's own, with that peer's authority only;
//   - grant: the policy that admits a consumer; route: what leads on from there;
//   - placeholder: a Service without a selector, so that a name resolves that no
//     local Service has;
//   - remnant: an object to be withdrawn that the cluster would not let go of;
//   - unlisted: an object with this mesh's labels that no inventory lists, so that
//     nothing withdraws it;
//   - foundation: what a remnant rests on, such as the default deny beneath a grant.
//
// The package knows Kubernetes and Istio, and nothing of test harnesses, labs
// or traffic. It starts nothing and keeps nothing between calls.
package federator
