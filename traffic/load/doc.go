// Package load sends requests at a rate that does not depend on the answers
// (an open model, driven by one vegeta attacker for each target) and keeps a
// histogram for each target and each way in which its requests ended. Each
// latency counts from the moment at which the request was meant to be sent, so a
// stall is charged to every request that it held up.
//
// The fixtures' program runs it inside workloads, so it knows nothing of
// Kubernetes or of federation, nor what an answer means: whoever asked
// classifies the examples.
package load
