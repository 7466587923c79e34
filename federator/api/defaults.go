package api

// Domain is the DNS suffix of Services, defaulted.
func (m *MeshSpec) Domain() string {
	if m.ClusterDomain == "" {
		return "cluster.local"
	}
	return m.ClusterDomain
}

// RootNamespace is Istio's root namespace, defaulted.
func (c ControlPlane) RootNamespace() string {
	if c.Namespace == "" {
		return "istio-system"
	}
	return c.Namespace
}

// MeshConfigMap is the name of the ConfigMap that holds istiod's mesh config.
func (c ControlPlane) MeshConfigMap() string {
	if c.Revision == "" || c.Revision == "default" {
		return "istio"
	}
	return "istio-" + c.Revision
}

// Home is the namespace of the inventory: the ingress gateway's, or the egress
// gateway's for a mesh that only consumes.
func (m *MeshSpec) Home() string {
	switch {
	case m.Ingress != nil:
		return m.Ingress.Namespace
	case m.Egress != nil:
		return m.Egress.Namespace
	}
	return ""
}

// FQDN is the full DNS name of a Service of this cluster.
func (m *MeshSpec) FQDN(service, namespace string) string {
	return service + "." + namespace + ".svc." + m.Domain()
}
