// Package admin reads what the pods of a gateway really run, from their Envoys'
// own admin port, by a port-forward of the API server: nothing needs to be
// opened for it, and the rights are "list pods" and "create pods/portforward" in
// the gateways' namespace.
//
// It only asks for the configuration. It must not know what it ought to be.
package admin
