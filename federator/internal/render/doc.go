// Package render turns declarations into Istio and Kubernetes objects. It is a
// pure function of the spec and a few facts about the cluster: no client, no
// clock, no randomness, and the same order every time.
//
// It must not know how objects reach a cluster. Every object carries labels
// that say whose it is and which role it plays; the role decides its turn when
// objects are applied and removed.
package render
