// Package envoy reads what a gateway's Envoy really runs: its configuration
// dump becomes listeners, filter chains, policies, routes and clusters, in the
// few words that the boundary is judged by, and a request can be followed
// through them.
//
// It is pure: a dump comes in, a Config goes out. It must not know declarations,
// Kubernetes, or how a dump is had. What it does not understand it keeps as
// something not understood, and never as something harmless.
package envoy
