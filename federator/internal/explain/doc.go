// Package explain says what becomes of one request at a private gateway, of a peer
// that comes in or of a workload whose call goes out, and what decides it: the
// declaration that ought to, and the filter, rule, route and object that do.
//
// It is pure. Like package verify it reads the declarations by themselves and the
// gateway's configuration by itself, and says when the two do not agree.
package explain
