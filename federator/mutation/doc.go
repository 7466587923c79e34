// Package mutation lists the ways in which the objects of a boundary can be
// wrong: what an engine with a fault, or a person with kubectl, could leave in a
// cluster. Whoever claims to notice a wrong boundary is held against all of them.
//
// A mutation is a pure function of rendered objects. The package must not know
// who looks at the result: neither scenarios, nor probes, nor a cluster.
package mutation
