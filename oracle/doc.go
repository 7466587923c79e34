// Package oracle says, from the declarations alone, what must become of every
// request at a mesh's private ingress gateway. It is the second opinion that
// the engine is held against, so it shares no code with it: it reads the
// declarations by itself and knows nothing of Istio objects, of Kubernetes and
// of how requests are sent.
package oracle
