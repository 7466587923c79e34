// Package deploy makes the objects that run the controller in a cluster: the
// definitions, its rights, and its Deployment.
//
// The rights are those of package access, nothing more. The Helm chart renders
// the same objects; a test holds one against the other. The package must not
// know how the objects are applied.
package deploy
