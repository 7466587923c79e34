// Package plan compares the rendered objects with the cluster, says in words
// who gains or loses what, and puts the changes into the order in which they
// can be made without opening anything by accident.
//
// It reads and never writes; a server-side dry run is the most it asks for.
package plan
