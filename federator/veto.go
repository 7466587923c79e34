package federator

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/admit"
	"github.com/meshfed/meshfed/federator/internal/preflight"
)

// The methods that veto say whether they did: then the decision must be taken again.

// vetoPreflightProblems vetoes what is not in force yet and that preflight found a
// problem with.
func (c *converger) vetoPreflightProblems(report preflight.Report) bool {
	again := false
	for _, p := range report.Problems {
		again = c.veto(p.By, api.Problem{Reason: p.String(), Cause: api.CauseClusterNotReady}) || again
	}
	for _, conflict := range slices.Concat(report.Conflicts, report.Elsewhere) {
		again = c.veto(conflict.By, api.Problem{Reason: conflict.Error(), Cause: api.CauseConflict}) || again
	}
	return again
}

// vetoConflicts vetoes what conflicts with another owner's objects or fields.
func (c *converger) vetoConflicts(p Plan) bool {
	again := false
	for _, change := range p.Changes {
		c.reportForeignFields(change)
		if change.Conflict() == nil {
			continue
		}
		if err := change.Passing(); err != nil {
			c.passing[change.Object], c.unrehearsed[change.Object] = err, err
			again = c.vetoUnrehearsed(change) || again
			continue
		}
		problem := api.Problem{Reason: change.Conflict().Error(), Cause: api.CauseConflict}
		for _, by := range change.DeclaredBy {
			again = c.veto(c.keyOf(by), problem) || again
		}
	}
	return again
}

// vetoUnrehearsed keeps out what is new while its object cannot be rehearsed. Of what is
// in force nothing is said as long as the object is as it was rendered: that a webhook
// is away for some seconds must not turn every declaration's state over and back.
func (c *converger) vetoUnrehearsed(change Change) bool {
	problem := api.Problem{Reason: change.Object.String() + ": " + change.Conflict().Reason, Cause: api.CauseClusterNotReady}
	again := false
	for _, by := range change.DeclaredBy {
		key := c.keyOf(by)
		if c.vetoIfNew(key, problem) {
			again = true
			continue
		}
		if !change.AsRendered() {
			c.reportInForce(key, api.Problem{Reason: problem.Reason, Cause: api.CauseConflict})
		}
	}
	return again
}

// vetoForLackOfRoom vetoes everything new once the inventory has no room for all of it.
func (c *converger) vetoForLackOfRoom() bool {
	return c.tooLong != nil && c.vetoAllNew(api.Problem{Reason: c.tooLong.Error(), Cause: api.CauseClusterNotReady})
}

// reportRemnants reports what should be gone and is not. Nobody declares it any more,
// so it is reported at the Mesh. Beside a remnant that still lets somebody in, nothing
// new is let in.
func (c *converger) reportRemnants(p Plan) bool {
	again, barred := false, false
	for _, r := range p.Remnants() {
		problem := api.Problem{Reason: "not withdrawn: " + r.Why.Error(), Cause: api.CauseNotWithdrawn}
		if r.LetsIn() && !barred { // one is reason enough
			again, barred = c.vetoAllNew(problem), true
			continue
		}
		c.reportAtMesh(problem)
	}
	return again
}

// reportUnlisted reports what carries this mesh's labels and is in no inventory. It is
// treated as a remnant: nobody declares it, and it may let somebody in.
func (c *converger) reportUnlisted() bool {
	again := false
	for i, why := range c.unlisted {
		problem := api.Problem{Reason: "not withdrawn: " + why.Error(), Cause: api.CauseNotWithdrawn}
		if i == 0 { // one is reason enough
			again = c.vetoAllNew(problem)
			continue
		}
		c.reportAtMesh(problem)
	}
	return again
}

// reportAtMesh adds a problem to the Mesh that vetoes nothing.
func (c *converger) reportAtMesh(problem api.Problem) { c.reportInForce(api.Key{}, problem) }

// reportInForce adds a problem to what is in force.
func (c *converger) reportInForce(by api.Key, problem api.Problem) {
	if ofMesh(by) {
		by = c.wish.Mesh.Key()
	}
	problem.Declaration = by.String()
	c.problemsInForce[by] = append(c.problemsInForce[by], problem)
}

// reportForeignFields records the fields that other managers added to an object, as a
// problem of each declaration behind it. It vetoes nothing: what the engine itself says
// about the object can be carried out, and so can what is withdrawn.
func (c *converger) reportForeignFields(change Change) {
	if change.Added() == nil {
		return
	}
	for _, by := range change.DeclaredBy {
		c.reportInForce(c.keyOf(by), api.Problem{Reason: change.Added().Error(), Cause: api.CauseConflict})
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

// veto keeps one declaration out, or all that is new, for a problem. What is in force
// as it stands stays, and the problem is only reported: taking it away would turn a
// fault of the cluster into an outage. What is new waits.
func (c *converger) veto(by api.Key, problem api.Problem) bool {
	if c.vetoIfNew(by, problem) {
		return true
	}
	c.reportInForce(by, problem)
	return false
}

// vetoAllNew is for what weakens the boundary as a whole, such as a policy of
// another owner that admits everybody: only withdrawals go on.
func (c *converger) vetoAllNew(problem api.Problem) bool { return c.veto(api.Key{}, problem) }

// ofMesh: what no declaration bears alone is the Mesh's.
func ofMesh(by api.Key) bool { return by.Kind == "" || by.Kind == api.KindMesh }

// vetoIfNew is a veto that reports nothing of what is in force.
func (c *converger) vetoIfNew(by api.Key, problem api.Problem) bool {
	if !ofMesh(by) {
		if c.inForce()(by) {
			return false
		}
		problem.Declaration = by.String()
		c.vetoed[by] = append(c.vetoed[by], problem)
		return true
	}
	mesh := c.wish.Mesh.Key()
	problem.Declaration = mesh.String()
	again := c.vetoNew(problem)
	if c.held.Mesh.Name != "" && !c.meshVetoed && !equality.Semantic.DeepEqual(c.wish.Mesh.Spec, c.held.Mesh.Spec) {
		c.meshVetoed, again = true, true
		c.neverReadmitWithdrawn()
		c.vetoed[mesh] = append(c.vetoed[mesh], problem)
	}
	return again
}

// vetoNew lets nothing in that is not in force yet.
func (c *converger) vetoNew(problem api.Problem) bool {
	inForce, again := c.inForce(), false
	for key := range c.decision.Rulings {
		if !inForce(key) {
			c.vetoed[key] = append(c.vetoed[key], problem)
			again = true
		}
	}
	return again
}

// neverReadmitWithdrawn: what this round withdraws is not readmitted by a later round
// of the same Converge, even if the reason for withdrawing it is gone by then. A Mesh
// that waits must not put back what it has no place for, and what has lost its place
// must not come back because the place is free again.
func (c *converger) neverReadmitWithdrawn() {
	for key, ruling := range c.decision.Rulings {
		if ruling.Form == FormNone {
			c.withdrawn[key] = true
			c.vetoed[key] = ruling.Problems
		}
	}
}

// inForceMinusWithdrawn is what is in force and may stay.
func (c *converger) inForceMinusWithdrawn() Spec {
	out := c.held
	out.Peers = slices.DeleteFunc(slices.Clone(out.Peers), func(p api.Peer) bool { return c.withdrawn[p.Key()] })
	out.Exposures = slices.DeleteFunc(slices.Clone(out.Exposures), func(e api.Exposure) bool { return c.withdrawn[e.Key()] })
	out.Consumptions = slices.DeleteFunc(slices.Clone(out.Consumptions), func(from api.Consumption) bool { return c.withdrawn[from.Key()] })
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
