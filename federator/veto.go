package federator

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/admit"
	"github.com/meshfed/meshfed/federator/internal/preflight"
)

// obstructed vetoes what preflight speaks against and is not in force yet. It
// says whether the decision must be taken again.
func (c *converger) obstructed(report preflight.Report) bool {
	again := false
	for _, p := range report.Problems {
		again = c.object(p.By, api.Problem{Reason: p.String(), Cause: api.CauseClusterNotReady}) || again
	}
	for _, conflict := range slices.Concat(report.Conflicts, report.Elsewhere) {
		again = c.object(conflict.By, api.Problem{Reason: conflict.Error(), Cause: api.CauseConflict}) || again
	}
	return again
}

// disputed vetoes what another owner's objects or fields are in the way of.
func (c *converger) disputed(p Plan) bool {
	again := false
	for _, change := range p.Changes {
		c.bearAdded(change)
		if change.Conflict() == nil {
			continue
		}
		if err := change.Passing(); err != nil {
			c.passing[change.Object] = err
		}
		problem := api.Problem{Reason: change.Conflict().Error(), Cause: api.CauseConflict}
		for _, by := range change.DeclaredBy {
			again = c.object(c.keyOf(by), problem) || again
		}
	}
	return again
}

// unroomy vetoes everything new once the inventory has no room for all of it.
func (c *converger) unroomy() bool {
	return c.crowded != nil && c.objectToAll(api.Problem{Reason: c.crowded.Error(), Cause: api.CauseClusterNotReady})
}

// remaining tells what should be gone and is not. Nobody declares it any more, so
// the Mesh bears it; and what still lets somebody in lets nothing new in beside it.
func (c *converger) remaining(p Plan) bool {
	again, barred := false, false
	for _, r := range p.Remnants() {
		problem := api.Problem{Reason: "not withdrawn: " + r.Why.Error(), Cause: api.CauseNotWithdrawn}
		if r.LetsIn() && !barred { // one is reason enough
			again, barred = c.objectToAll(problem), true
			continue
		}
		c.bear(problem)
	}
	return again
}

// forgotten tells what no inventory lists, as what remains is told: nobody declares
// it, and it may let somebody in.
func (c *converger) forgotten() bool {
	again := false
	for i, why := range c.unlisted {
		problem := api.Problem{Reason: "not withdrawn: " + why.Error(), Cause: api.CauseNotWithdrawn}
		if i == 0 { // one is reason enough
			again = c.objectToAll(problem)
			continue
		}
		c.bear(problem)
	}
	return again
}

// bear has the Mesh tell a problem that stands in nobody's way.
func (c *converger) bear(problem api.Problem) {
	mesh := c.wish.Mesh.Key()
	problem.Declaration = mesh.String()
	c.standing[mesh] = append(c.standing[mesh], problem)
}

// bearAdded lets the declarations of an object bear what others have added to it.
// It vetoes nothing: what the engine itself says about the object can be carried
// out, and so can what is withdrawn.
func (c *converger) bearAdded(change Change) {
	if change.Added() == nil {
		return
	}
	for _, by := range change.DeclaredBy {
		key := c.keyOf(by)
		if key.Kind == "" {
			key = c.wish.Mesh.Key()
		}
		c.standing[key] = append(c.standing[key], api.Problem{
			Declaration: key.String(), Reason: change.Added().Error(), Cause: api.CauseConflict,
		})
	}
}

// keyOf finds the declaration that an object names; anything else is the mesh.
func (c *converger) keyOf(text string) api.Key {
	for key := range c.decision.Rulings {
		if key.String() == text {
			return key
		}
	}
	return api.Key{}
}

// object raises a problem against one declaration, or against all of them. What
// is in force as it stands stays and only bears the problem: taking it away would
// turn a fault of the cluster into an outage. What is new waits.
func (c *converger) object(by api.Key, problem api.Problem) bool {
	if by.Kind == "" || by.Kind == api.KindMesh {
		return c.objectToAll(problem)
	}
	problem.Declaration = by.String()
	if c.inForce()(by) {
		c.standing[by] = append(c.standing[by], problem)
		return false
	}
	c.vetoed[by] = append(c.vetoed[by], problem)
	return true
}

// objectToAll is for what weakens the boundary as a whole, such as a policy of
// another owner that admits everybody: only withdrawals go on.
func (c *converger) objectToAll(problem api.Problem) bool {
	mesh := c.wish.Mesh.Key()
	problem.Declaration = mesh.String()
	again := c.objectToNew(problem)
	if c.held.Mesh.Name != "" && !c.meshVetoed && !equality.Semantic.DeepEqual(c.wish.Mesh.Spec, c.held.Mesh.Spec) {
		c.meshVetoed, again = true, true
		c.keepOut()
		c.vetoed[mesh] = append(c.vetoed[mesh], problem)
	}
	c.standing[mesh] = append(c.standing[mesh], problem)
	return again
}

// objectToNew lets nothing in that is not in force yet.
func (c *converger) objectToNew(problem api.Problem) bool {
	inForce, again := c.inForce(), false
	for key := range c.decision.Rulings {
		if !inForce(key) {
			c.vetoed[key] = append(c.vetoed[key], problem)
			again = true
		}
	}
	return again
}

// keepOut keeps out what this round withdraws, whatever the rounds after it veto: a
// Mesh that waits must not put back what it has no place for, and what has been
// taken away must not come back because the place that it lost is free again.
func (c *converger) keepOut() {
	for key, ruling := range c.decision.Rulings {
		if ruling.Form == FormNone {
			c.gone[key] = true
			c.vetoed[key] = ruling.Problems
		}
	}
}

// heldStill is what is in force and may stay.
func (c *converger) heldStill() Spec {
	out := c.held
	out.Peers = slices.DeleteFunc(slices.Clone(out.Peers), func(p api.Peer) bool { return c.gone[p.Key()] })
	out.Exposures = slices.DeleteFunc(slices.Clone(out.Exposures), func(e api.Exposure) bool { return c.gone[e.Key()] })
	out.Consumptions = slices.DeleteFunc(slices.Clone(out.Consumptions), func(from api.Consumption) bool { return c.gone[from.Key()] })
	return out
}

// inForce says of a declaration whether what is decided about it adds nothing to
// what the cluster holds.
func (c *converger) inForce() func(api.Key) bool {
	unchanged := admit.Unchanged(c.decision.Spec, c.held)
	return func(key api.Key) bool {
		form := c.decision.Rulings[key].Form
		return form == FormEarlier || form == FormNone || unchanged[key]
	}
}
