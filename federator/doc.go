// Package federator connects Istio meshes that have nothing in common: it
// renders what one side exposes and consumes into Istio objects, shows what
// would change and who gains or loses what, applies it with an inventory, and
// takes it away again.
//
// Load or Parse declarations, make an Engine for a cluster, then Plan, Apply,
// Status or Cancel. A Spec is the whole wish of one cluster: what the inventory
// holds and the spec no longer renders is pruned.
//
// The package knows Kubernetes and Istio, and nothing of test harnesses, labs
// or traffic. It starts nothing and keeps nothing between calls.
package federator
