package plan

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/internal/render"
)

// The order is a security property: at no moment may the cluster be wider than
// both the old wish and the new one.
func TestTheOrderOfChangesOpensNothing(t *testing.T) {
	var changes []Change
	for _, a := range []Action{ActionUpdate, ActionDelete, ActionCreate} {
		for _, r := range slices.Backward(render.Roles()) {
			changes = append(changes, Change{Action: a, role: r})
		}
	}
	sortChanges(changes)
	at := func(a Action, r render.Role) int {
		return slices.IndexFunc(changes, func(c Change) bool { return c.Action == a && c.role == r })
	}
	before := func(a Action, r render.Role, b Action, s render.Role) {
		t.Helper()
		assert.Less(t, at(a, r), at(b, s), "%s %s must come before %s %s", a, r, b, s)
	}
	assert.Zero(t, at(ActionDelete, render.RoleConsumerRoute), "callers leave first")
	for _, r := range render.Roles()[1:] {
		before(ActionCreate, render.RoleDefaultDeny, ActionCreate, r)
		before(ActionDelete, r, ActionDelete, render.RoleDefaultDeny)
	}
	before(ActionCreate, render.RoleDefaultDeny, ActionDelete, render.RoleGrant)
	before(ActionDelete, render.RoleGrant, ActionUpdate, render.RoleDefaultDeny)
	before(ActionDelete, render.RoleGrant, ActionCreate, render.RoleGrant)
	before(ActionDelete, render.RoleGrant, ActionUpdate, render.RoleRoute)
	before(ActionUpdate, render.RoleRoute, ActionCreate, render.RoleGrant)
	before(ActionCreate, render.RoleRoute, ActionUpdate, render.RoleGrant)
	before(ActionDelete, render.RoleRoute, ActionDelete, render.RoleListener)
	before(ActionCreate, render.RoleGrant, ActionCreate, render.RoleListener)
	before(ActionCreate, render.RoleListener, ActionCreate, render.RoleConsumerRoute)
	before(ActionDelete, render.RolePeer, ActionDelete, render.RoleDefaultDeny)
}

// Whether a deletion succeeds decides whether updates are made: their first steps wait
// for it, and what only narrows does not.
func TestTheFirstStepsOfUpdatesComeAfterTheDeletions(t *testing.T) {
	for _, role := range []render.Role{render.RoleGrant, render.RoleListener} {
		half, whole := &unstructured.Unstructured{}, &unstructured.Unstructured{}
		p := Plan{Changes: []Change{
			{Action: ActionUpdate, role: role, desired: whole, withdraws: half},
			{Action: ActionUpdate, role: render.RoleGrant, desired: half, withdraws: half},
			{Action: ActionDelete, role: render.RoleRoute},
			{Action: ActionDelete, role: render.RoleGrant},
		}}
		var first []bool
		for _, step := range p.Steps() {
			first = append(first, step.First())
		}
		assert.Equal(t, []bool{false, false, false, true, false}, first, "%s", role)
		assert.True(t, p.Steps()[3].Narrows(), "by itself it goes on past a failure: %s", role)
	}
}

// After a failure only what takes away goes on.
func TestNothingThatMayOpenSomethingGoesOnPastAFailure(t *testing.T) {
	for _, r := range render.Roles() {
		assert.Equal(t, r == render.RoleDefaultDeny, Change{Action: ActionCreate, role: r}.Narrows(), "create %s", r)
		assert.False(t, Change{Action: ActionUpdate, role: r}.Narrows(), "update %s", r)
		withdraws := r == render.RoleConsumerRoute || r == render.RoleGrant || r == render.RoleRoute
		assert.Equal(t, withdraws, Change{Action: ActionDelete, role: r}.Narrows(), "delete %s", r)
	}
}
