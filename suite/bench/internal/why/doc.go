// Package why names the layer that breaks a request from one mesh to another,
// from what the proxies on its way have logged about it: the caller's sidecar,
// the consuming mesh's egress gateway, the exposing mesh's ingress gateway.
//
// It is pure. It must not know an engine, nor how logs are had: any mesh of
// Istio with JSON access logs can be judged.
package why
