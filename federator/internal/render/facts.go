package render

// Facts is what rendering needs to know about the cluster, and nothing more.
// The zero value describes an empty cluster.
type Facts struct {
	// Services of the consuming namespaces that other owners made, by name. The
	// engine's own placeholders are not among them.
	Services map[Name]ServiceFact
}

// Name is a namespaced name.
type Name struct{ Namespace, Name string }

// ServiceFact is one existing Service.
type ServiceFact struct {
	// Ports is how many ports it has.
	Ports int
}
