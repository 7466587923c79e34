// Package traffic sends requests across a boundary and says what became of
// them, in a closed vocabulary: allowed and by whom, denied by policy, no
// route, handshake refused and by which alert. It sends from workloads and
// from clients outside the meshes, and counts what arrived. It knows clusters and
// pods, and nothing of federation: what ought to happen, and how long to wait
// for it, is for the caller to say.
package traffic
