// Package existing is the provider of clusters that somebody has already: each
// is a context of a kubeconfig, with a mesh and private gateways that its owner
// installed. It makes and deletes nothing in them; it only says how they are
// reached.
//
// The package must not know what the harness does there, nor of federation.
package existing
