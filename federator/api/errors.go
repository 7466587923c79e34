package api

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// source is where a document was read.
type source struct {
	file string
	doc  int // counted from 1
	tree *lineTree
}

// at spells file:line (document n) for a field path inside the document; an
// unknown path falls back to its nearest known parent.
func (s source) at(path string) string {
	if s.file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d (document %d)", s.file, s.tree.line(path), s.doc)
}

// Cause is the closed set of ways in which declarations can disagree with each
// other; the zero value is a declaration that is wrong by itself.
type Cause string

// The causes.
const (
	CauseInvalid         Cause = ""
	CausePeerNotFound    Cause = "peer not found"
	CausePathClaimed     Cause = "path claimed"
	CauseHostClaimed     Cause = "host claimed"
	CauseIdentityClaimed Cause = "identity claimed"
	CausePathNotOffered  Cause = "path not offered"
	CauseNoGateway       Cause = "no gateway"

	// What follows shows only beside a cluster.

	// CauseIdentityChanged: a peer in use says it is somebody else.
	CauseIdentityChanged Cause = "identity changed"
	// CauseClusterNotReady: the cluster lacks something.
	CauseClusterNotReady Cause = "cluster not ready"
	// CauseConflict: another owner holds an object or a field.
	CauseConflict Cause = "conflict"
	// CauseNotWithdrawn: what nobody declares any more is still there.
	CauseNotWithdrawn Cause = "not withdrawn"
	// CauseNoMesh: there is no Mesh, or it is not accepted as it stands.
	CauseNoMesh Cause = "no mesh"
)

// Problem is one thing wrong in the declarations.
type Problem struct {
	// Where is file:line (document n); empty for a Spec built by hand.
	Where string
	// Declaration is the key of the declaration, empty when it has none yet.
	Declaration string
	// Field is the path inside the declaration, such as spec.consumers[0].peer.
	Field string
	// Reason says what is wrong and how to mend it.
	Reason string
	// Cause is for programs that tell problems apart.
	Cause Cause
}

// String is the problem on one line.
func (p Problem) String() string {
	parts := make([]string, 0, 4)
	for _, s := range []string{p.Where, p.Declaration, p.Field, p.Reason} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// ValidationError is every problem found, in the order of the declarations.
type ValidationError struct{ Problems []Problem }

// Error has one line per problem.
func (e *ValidationError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// problems turns the field errors of one declaration into located problems.
func (s *Spec) problems(key Key, list field.ErrorList) []Problem {
	out := make([]Problem, 0, len(list))
	for _, e := range list {
		p := Problem{Declaration: key.String(), Field: e.Field, Reason: e.ErrorBody(), Cause: Cause(e.Origin)}
		if src, ok := s.sources[key]; ok {
			p.Where = src.at(e.Field)
		}
		out = append(out, p)
	}
	return out
}
