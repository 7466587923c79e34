// Package admin reads what the pods of a gateway really run, from their Envoys'
// own admin port, by a port-forward of the API server: nothing needs to be
// opened for it, and the rights are "list pods" and "create pods/portforward" in
// the gateways' namespace; and "get pods/log" for what they have logged.
//
// It only asks. It must not know what the configuration ought to be.
package admin
