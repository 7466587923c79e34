package preflight

import (
	"strings"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
)

// Problem is one thing the cluster lacks.
type Problem struct {
	// Subject is the object or setting looked at.
	Subject string `json:"subject"`
	// Reason says what is wrong with it, and Fix what to do.
	Reason string `json:"reason"`
	Fix    string `json:"fix"`
	// By is the declaration that it stands in the way of; zero: all of them.
	By api.Key `json:"-"`
}

// String is the problem on one line.
func (p Problem) String() string { return p.Subject + ": " + p.Reason + "; " + p.Fix }

// Conflict is an object of another owner in the way.
type Conflict struct {
	*kube.ConflictError
	// By is the declaration that it stands in the way of; zero: all of them.
	By api.Key
}

// Error is every problem found.
type Error struct{ Problems []Problem }

// Error has one line per problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = "preflight: " + p.String()
	}
	return strings.Join(lines, "\n")
}
