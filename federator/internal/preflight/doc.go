// Package preflight reads a cluster and says what stands in the way of the
// wish, each problem with its cure, before anything is written. It also gathers
// the facts that rendering needs.
//
// It reads once, at the edge, and decides from that snapshot; it never writes.
// Of Secrets it keeps the names of the keys and nothing else.
package preflight
