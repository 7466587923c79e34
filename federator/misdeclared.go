package federator

import (
	"errors"
	"slices"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/admit"
)

// misdeclared goes on with the Mesh in force where the declared one is refused, and
// says whether there is one: who edits the Mesh must not keep in force what others
// withdraw. Nothing new is let in, because nobody knows at which boundary it is meant
// to be.
func (c *converger) misdeclared(err error) bool {
	var invalid *ValidationError
	if c.held.Mesh.Name == "" || c.meshVetoed || !errors.As(err, &invalid) {
		return false
	}
	key, first := c.wish.Mesh.Key(), invalid.Problems[0]
	c.meshVetoed, c.vetoed[key] = true, invalid.Problems
	first.Declaration, first.Where = "", ""
	c.refusal = &api.Problem{Declaration: key.String(), Cause: api.CauseNoMesh,
		Reason: "Mesh " + c.wish.Mesh.Name + " is not accepted: " + first.String()}
	c.giveUp()
	return true
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
			c.gone[key] = true
			c.vetoed[key] = ruling.Problems
		}
	}
}

// unaccepted bars everything new while the declared Mesh is refused.
func (c *converger) unaccepted() bool { return c.refusal != nil && c.objectToNew(*c.refusal) }
