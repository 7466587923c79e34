// Package features holds the claims: what federated meshes must do and must
// never do, in the words of the story the project automates. It is data; what
// the words mean is in package steps.
package features

import "embed"

// FS holds the feature files at its root.
//
//go:embed *.feature
var FS embed.FS
