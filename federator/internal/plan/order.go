package plan

import (
	"cmp"
	"slices"

	"github.com/meshfed/meshfed/federator/internal/render"
)

// The phases of an apply. Callers leave first and arrive last: a consumer that
// is still routed to a peer whose pieces are half gone gets errors. Gateways are
// denied before they listen, and before the last grant goes: one without any policy
// admits everybody. What is withdrawn goes before what is added, so that no moment
// grants what neither the old wish nor the new one does: grants are first narrowed
// to what both have in common, then the routes change, and only when all of them
// lead where they should do the new grants follow. A grant that meets the route of
// another time, its own or another's, would open what nobody declared.
// A gateway of other pods than before is closed until all its policies have moved.
// The first steps of updates come after the deletions: whether these succeed decides
// whether the updates are made at all.
const (
	phaseCallersLeave = iota
	phaseDeny
	phaseWithdraw
	phaseClose
	phaseMoveDeny
	phaseBuild
	phaseClear
)

// Narrows says whether a change can only take reach away. Such changes go on past a
// failure; the others must not begin after one. To alter a default deny is none of
// them: it may leave pods at which a listener could not be closed.
func (c Change) Narrows() bool {
	phase, _ := turn(c)
	return phase < phaseMoveDeny
}

func sortChanges(changes []Change) {
	slices.SortStableFunc(changes, func(a, b Change) int {
		pa, ta := turn(a)
		pb, tb := turn(b)
		return cmp.Or(cmp.Compare(pa, pb), cmp.Compare(ta, tb))
	})
}

// turn is a change's phase and its place in it.
func turn(c Change) (phase, place int) {
	roles := render.Roles()
	at := slices.Index(roles, c.role)
	if c.Action != ActionDelete {
		if c.role == render.RoleDefaultDeny {
			if c.Action == ActionCreate {
				return phaseDeny, 0
			}
			return phaseMoveDeny, 0
		}
		if c.withdraws != nil && c.desired == c.withdraws {
			switch {
			case c.role == render.RoleListener:
				return phaseClose, 0
			case c.first:
				return phaseWithdraw, 1
			}
			return phaseWithdraw, 0
		}
		if at < 0 {
			at = len(roles)
		}
		return phaseBuild, at
	}
	switch c.role {
	case render.RoleConsumerRoute:
		return phaseCallersLeave, 0
	case render.RoleGrant, render.RoleRoute:
		// Together: a route without its grant answers 403 where it should not exist,
		// and a live connection ends only by the grant.
		return phaseWithdraw, 0
	}
	return phaseClear, len(roles) - at
}
