// Package controller runs the engine in a loop inside one cluster: it reads the
// declarations that stand there as custom resources, brings the cluster as near
// to them as is safe, and writes into each what became of it.
//
// It is level-triggered: whatever woke it, it looks at everything and decides
// anew, so a lost event, a restart or an API server that was away cost time and
// nothing else. It has the credentials of its own cluster only and never speaks
// to a peer: a peer that is down stops nothing.
//
// It sets no finalizers. A deleted declaration is withdrawn because the
// inventory remembers it, in the same order as by the command line; a finalizer
// would need the right to write declarations, and would hold up the deletion of
// a namespace while the controller is away. That something deleted is still in
// force shows in the counts of the Mesh's status, and why in its conditions
// (NotWithdrawn).
//
// The package decides nothing about federation; that is package federator's.
package controller
