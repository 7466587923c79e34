package inventory_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meshfed/meshfed/suite/bench/internal/inventory"
)

func TestDifferencesAreNamedOneByOne(t *testing.T) {
	first, second := inventory.Object{UID: "1", Generation: 1}, inventory.Object{UID: "1", Generation: 2}
	before := inventory.Inventory{"services a/x": {UID: "0"}, "gateways a/g": first, "gateways a/h": first, "gateways a/i": first}
	now := inventory.Inventory{"services a/x": {UID: "0"}, "gateways a/g": second, "gateways b/new": first, "gateways a/i": {UID: "2", Generation: 1}}
	assert.Equal(t, []string{"changed: gateways a/g", "gone: gateways a/h", "left: gateways b/new", "made again: gateways a/i"}, now.Since(before))
	assert.Nil(t, now.Since(now))
}
