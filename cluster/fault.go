package cluster

import "context"

// Part is the closed set of what a provider may be able to stop for a while:
// what no user of the cluster's API can.
type Part string

// The parts.
const (
	// APIServer and Etcd are one process each.
	APIServer Part = "the API server"
	Etcd      Part = "etcd"
	// Everything is the node with all that runs on it.
	Everything Part = "the whole cluster"
)

// Faulter is a Cluster whose parts can be stopped and let go on. It is
// optional: somebody else's cluster has none.
type Faulter interface {
	Cluster
	// Pause stops the part until resume is called. Whoever pauses must resume:
	// the part stays stopped if the caller ends.
	Pause(ctx context.Context, p Part) (resume func() error, err error)
}
