// Package kube is the engine's only door to a cluster: get, list, server-side
// apply, delete with preconditions, and a guarded write for the inventory.
//
// It knows objects and their owners, and nothing of federation.
package kube
