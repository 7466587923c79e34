// Package verify proves that what is reachable at a boundary is what its
// declarations say, and lists everything that is more, less or other. It holds
// two things against the declarations, each by itself: the objects that stand in
// the cluster, whoever made them, and what the gateways' Envoys really run.
//
// It is pure: declarations, objects and dumps come in, findings go out. It must
// not know how they are read. Whatever it cannot judge is a finding, too.
package verify
