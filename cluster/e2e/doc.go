// Package e2e offers the clusters of any cluster.Provider to tests that are
// written with sigs.k8s.io/e2e-framework: a Lab hands out one
// support.E2EClusterProvider for each cluster, and all of them share the lab's
// network, so that their gateways meet.
//
// The package must not know which provider it has, nor anything of federation.
package e2e
