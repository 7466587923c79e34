package inventory

import (
	"maps"
	"slices"
	"strings"
)

// Within are those namespaces, and the objects of them; none means all. Elsewhere
// on clusters that are somebody's, others come and go, and it is no engine's doing.
func (now Inventory) Within(namespaces []string) Inventory {
	if len(namespaces) == 0 {
		return now
	}
	within := maps.Clone(now)
	for name := range now {
		_, place, _ := strings.Cut(name, " ")
		namespace, object, _ := strings.Cut(place, "/")
		if namespace == "" {
			// The one kind that is in no namespace is the namespaces themselves.
			namespace = object
		}
		if !slices.Contains(namespaces, namespace) {
			delete(within, name)
		}
	}
	return within
}
