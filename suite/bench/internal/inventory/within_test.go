package inventory_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meshfed/meshfed/suite/bench/internal/inventory"
)

func TestWithinNamespacesIsWhatTheyHoldAndTheyThemselves(t *testing.T) {
	all := inventory.Inventory{"services a/x": {}, "services ab/x": {}, "services b/a": {}, "namespaces /a": {}, "namespaces /b": {}}
	assert.Equal(t, []string{"namespaces /a", "services a/x"}, slices.Sorted(maps.Keys(all.Within([]string{"a"}))),
		"an engine may have labelled the namespace")
	assert.Equal(t, all, all.Within(nil))
}
