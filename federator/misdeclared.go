package federator

import (
	"errors"
	"slices"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/admit"
	"github.com/meshfed/meshfed/federator/internal/inventory"
)

// misdeclared goes on with the Mesh in force where the declared one is refused, and
// says whether there is one: who edits the Mesh must not keep in force what others
// withdraw. Nothing new is let in, because nobody knows at which boundary it is meant
// to be. What the command line keeps is left to it: a refused Mesh takes over nothing.
func (c *converger) misdeclared(err error) bool {
	var invalid *ValidationError
	if c.held.Mesh.Name == "" || !keptByController(c.inventory) || c.meshVetoed || !errors.As(err, &invalid) {
		return false
	}
	c.keepMesh(invalid.Problems)
	return true
}

func keptByController(inv *inventory.Inventory) bool {
	return inv != nil && inv.Keeper == inventory.KeeperController
}

// outOfReach is the end where neither the declared Mesh nor the one in force is within
// reach, or where the former is another one or nothing of a controller's is in force:
// that nobody here may look after it must not be taken for a wish to lose what there is.
func outOfReach(inv *inventory.Inventory, wish Spec, reach Reach) *Convergence {
	far := reach(wish.Mesh)
	if wish.Mesh.Name == "" || len(far) == 0 {
		return nil
	}
	out := &Convergence{Verdicts: map[api.Key]Verdict{wish.Mesh.Key(): {Form: FormNone, Problems: far}}}
	if inv != nil && inv.Applied != nil {
		out.InForce = *inv.Applied
	}
	if keptByController(inv) && out.InForce.Mesh.Name == wish.Mesh.Name && len(reach(out.InForce.Mesh)) == 0 {
		return nil
	}
	return out
}

// keepMesh keeps the Mesh in force in place of the declared one.
func (c *converger) keepMesh(problems []api.Problem) {
	key, first := c.wish.Mesh.Key(), problems[0]
	c.meshVetoed, c.vetoed[key] = true, problems
	first.Declaration, first.Where = "", ""
	c.refusal = &api.Problem{Declaration: key.String(), Cause: api.CauseNoMesh,
		Reason: "Mesh " + c.wish.Mesh.Name + " is not accepted: " + first.String()}
	c.giveUp()
}

// giveUp withdraws what uses a gateway that the refused Mesh gives up while it keeps
// the other one: that takes nothing but reach away, whatever else is wrong.
func (c *converger) giveUp() {
	less := c.wish
	less.Mesh = c.held.Mesh
	if c.wish.Mesh.Spec.Ingress == nil {
		less.Mesh.Spec.Ingress = nil
	}
	if c.wish.Mesh.Spec.Egress == nil {
		less.Mesh.Spec.Egress = nil
	}
	decision, err := admit.Decide(admit.Input{Wish: less, Held: c.held, Vetoed: c.vetoed})
	if err != nil {
		return // neither gateway is left: that is no boundary to go by
	}
	for key, ruling := range decision.Rulings {
		if slices.ContainsFunc(ruling.Problems, func(p api.Problem) bool { return p.Cause == api.CauseNoGateway }) {
			c.withdrawn[key] = true
			c.vetoed[key] = ruling.Problems
		}
	}
}

// unaccepted bars everything new while the declared Mesh is refused.
func (c *converger) unaccepted() bool { return c.refusal != nil && c.vetoNew(*c.refusal) }
