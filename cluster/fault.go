package cluster

import "context"

// Part is the closed set of what a provider may be able to stop or kill: what no
// user of the cluster's API can.
type Part string

// The parts.
const (
	// APIServer and Etcd are one process each.
	APIServer Part = "the API server"
	Etcd      Part = "etcd"
	// Everything is the node with all that runs on it.
	Everything Part = "the whole cluster"
)

// Faulter is a Cluster of which parts can be broken. It is optional: somebody
// else's cluster has none.
type Faulter interface {
	Cluster
	// Pause stops the part until resume is called. Whoever pauses must resume:
	// the part stays stopped if the caller ends.
	Pause(ctx context.Context, p Part) (resume func() error, err error)
	// Kill ends the process of a part, and returns when it is dead. Whatever
	// runs the cluster starts it again. Everything cannot be killed.
	Kill(ctx context.Context, p Part) error
	// FillDisk leaves etcd no byte on its disk until empty is called, as for
	// Pause.
	FillDisk(ctx context.Context) (empty func() error, err error)
}
