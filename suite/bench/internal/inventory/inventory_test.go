package inventory_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meshfed/meshfed/suite/bench/internal/inventory"
)

func TestDifferencesAreNamedOneByOne(t *testing.T) {
	before := inventory.Inventory{"services a/x": 0, "gateways a/g": 1, "gateways a/h": 1}
	now := inventory.Inventory{"services a/x": 0, "gateways a/g": 2, "gateways b/new": 1}
	assert.Equal(t, []string{"changed: gateways a/g", "gone: gateways a/h", "left: gateways b/new"}, now.Since(before))
	assert.Nil(t, now.Since(now))
}
