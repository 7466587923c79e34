package inventory

import (
	"maps"
	"slices"
	"strings"
)

// Within are the objects of those namespaces; none means all. Elsewhere on
// clusters that are somebody's, others come and go, and it is no engine's doing.
func (now Inventory) Within(namespaces []string) Inventory {
	if len(namespaces) == 0 {
		return now
	}
	within := maps.Clone(now)
	for name := range now {
		_, place, _ := strings.Cut(name, " ")
		namespace, _, _ := strings.Cut(place, "/")
		if !slices.Contains(namespaces, namespace) {
			delete(within, name)
		}
	}
	return within
}
