// Package crd is the form that declarations have inside a cluster: the custom
// resources Mesh, Peer, Exposure and Consumption with the status that the
// controller gives them, and their definitions.
//
// What a declaration says is package api's alone: the resources embed its spec
// types, and the definitions are generated from them (go generate; a test
// compares both, field by field). The package must not know how declarations
// are carried out.
//
// +kubebuilder:object:generate=true
// +groupName=federation.meshfed.io
// +versionName=v1alpha1
package crd

//go:generate go tool -modfile=../../tools/generate/go.mod controller-gen object paths=../api/... paths=.
//go:generate go tool -modfile=../../tools/generate/go.mod controller-gen crd paths=. output:crd:artifacts:config=definitions
