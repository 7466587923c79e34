// Package load sends requests at a rate that does not depend on the answers
// (an open model, driven by vegeta) and keeps a histogram per outcome. Each
// latency counts from the moment at which the request was meant to be sent, so
// a stall is charged to every request that it held up. It must know nothing of
// Kubernetes or of federation.
package load
