package federator

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/admit"
	"github.com/meshfed/meshfed/federator/internal/apply"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/plan"
	"github.com/meshfed/meshfed/federator/internal/preflight"
)

// Form is how much of a declaration is in force.
type Form = admit.Form

// The forms of a declaration.
const (
	FormWhole   = admit.FormWhole
	FormPart    = admit.FormPart
	FormEarlier = admit.FormEarlier
	FormNone    = admit.FormNone
)

// Verdict is what became of one declaration.
type Verdict struct {
	Form Form
	// Problems stand in the way of the declaration as it is. With FormWhole they
	// are of the cluster and came after it was put in force.
	Problems []Problem
}

// Convergence is what a Converge did.
type Convergence struct {
	Result
	// Verdicts has one for every declaration of the wish, the Mesh included.
	Verdicts map[api.Key]Verdict
	// InForce is what the cluster holds now, what could not be withdrawn included.
	InForce Spec
}

// Converge brings the cluster as near to a wish as is safe. Apply takes a wish
// whole or not at all, which suits a person at a prompt; Converge is for a wish
// of many authors: a declaration that is invalid by itself or beside the others, that
// the cluster is not ready for, or whose objects another owner holds or the API server
// cannot rehearse, is left out or kept as it was, and the rest is carried out.
// Withdrawals are never held up: one that the cluster refuses is told at the Mesh and
// tried again by every Converge, the others go on, and nothing is added beside what
// still lets somebody in. When all that is declared has outgrown the inventory, or the
// Mesh is refused as it stands or is out of the caller's Reach, they are all that is
// carried out.
//
// Home is the namespace of the gateways, where the inventory is. A wish without
// a Mesh withdraws everything that an earlier Converge made; what Apply made stays
// until a wish with a Mesh takes it over. The order of the wish decides between new
// declarations that exclude each other: the first one wins. After an error the
// Convergence holds what had been decided, and after a *PassingError all of it; another
// Converge goes on from there.
func (e *Engine) Converge(ctx context.Context, home string, wish Spec, opts ...ConvergeOption) (Convergence, error) {
	inv, err := inventory.Recall(ctx, e.client, home)
	if err != nil {
		return Convergence{}, err
	}
	if inv != nil && wish.Mesh.Name == "" && !keptByController(inv) {
		// Somebody has applied by the command line. That no Mesh stands in the cluster
		// is no wish of theirs to lose everything.
		return Convergence{}, nil
	}
	o := convergeOptions{reach: func(api.Mesh) []Problem { return nil }}
	for _, opt := range opts {
		opt.applyConverge(&o)
	}
	if astray := outOfReach(inv, wish, o.reach); astray != nil {
		return *astray, nil
	}
	if inv != nil && inv.Mesh != wish.Mesh.Name {
		// Nothing can belong to two meshes: the one before goes first, all of it.
		done, unlisted, err := e.cancel(ctx, *inv.Latest(), options([]ApplyOption{keptBy(inventory.KeeperController)}))
		for _, o := range unlisted { // there is no Mesh that could bear it
			done.Left = append(done.Left, o.Object)
		}
		if err != nil || wish.Mesh.Name == "" {
			return Convergence{Result: done, Verdicts: unreplaced(inv.Mesh, wish, err)}, err
		}
		if inv, err = inventory.Recall(ctx, e.client, home); err != nil {
			return Convergence{Result: done}, err
		}
		inv.PassTo(wish.Mesh.Name)
	}
	if wish.Mesh.Name == "" {
		return Convergence{}, nil
	}
	c := &converger{engine: e, home: home, wish: wish, inventory: inv, vetoed: map[api.Key][]api.Problem{}, undeleted: map[kube.Ref]error{}, unrehearsed: map[kube.Ref]error{}, passing: map[kube.Ref]error{}, withdrawn: map[api.Key]bool{}}
	if inv != nil && inv.Applied != nil {
		// After an apply that did not finish, what was only intended counts as new.
		c.held = *inv.Applied
	}
	if far := o.reach(wish.Mesh); len(far) > 0 {
		c.keepMesh(far)
	}
	return c.run(ctx)
}

// unreplaced is the verdict on a Mesh that has to wait for the one before to go.
func unreplaced(before string, wish Spec, err error) map[api.Key]Verdict {
	if err == nil || wish.Mesh.Name == "" {
		return nil
	}
	key := wish.Mesh.Key()
	return map[api.Key]Verdict{key: {Form: FormNone, Problems: []Problem{{
		Declaration: key.String(), Reason: "mesh " + before + " is not withdrawn: " + err.Error(), Cause: api.CauseNotWithdrawn,
	}}}}
}

// converger looks for the largest part of the wish that nothing stands in the
// way of. Each round vetoes at least one more declaration, so it ends.
type converger struct {
	engine    *Engine
	home      string
	wish      Spec
	held      Spec
	inventory *inventory.Inventory
	vetoed    map[api.Key][]api.Problem

	decision admit.Decision
	// problemsInForce are problems with what is in force already.
	problemsInForce map[api.Key][]api.Problem
	// meshVetoed: the Mesh as declared waits and the one in force stays, minus the
	// declarations for which the declared one has no place.
	meshVetoed bool
	// refusal of the declared Mesh is why nothing new is let in; nil when it is accepted.
	refusal *api.Problem
	// withdrawn is what an earlier round has withdrawn for good.
	withdrawn map[api.Key]bool
	// tooLong: the wish as it was takes more room than the inventory has.
	tooLong *inventory.TooLongError
	// unlisted is what no inventory lists, as the first plan found it: what is vetoed
	// after that no longer takes over its own objects, and they are declared all the same.
	unlisted      []*ConflictError
	unlistedKnown bool
	// undeleted holds the error of each deletion that failed.
	undeleted map[kube.Ref]error
	// unrehearsed holds the error of each rehearsal that failed and may yet succeed.
	unrehearsed map[kube.Ref]error
	// passing are errors that a retry may cure, of deletions and of rehearsals.
	passing map[kube.Ref]error
	writes  int
}

func (c *converger) run(ctx context.Context) (Convergence, error) {
	for {
		mesh := c.wish.Mesh
		if c.meshVetoed && c.held.Mesh.Name != "" {
			mesh = c.held.Mesh
		}
		wish := c.wish
		wish.Mesh = mesh
		decision, err := admit.Decide(admit.Input{Wish: wish, Held: c.inForceMinusWithdrawn(), Vetoed: c.vetoed})
		if err != nil {
			if c.misdeclared(err) {
				continue
			}
			return c.refusedMesh(err)
		}
		c.decision, c.problemsInForce = decision, map[api.Key][]api.Problem{}
		if c.unaccepted() {
			continue
		}
		report, err := c.engine.preflight(ctx, c.lookedAt(), c.inventory)
		if err != nil {
			return c.outcome(Result{Writes: c.writes}), err
		}
		if c.vetoPreflightProblems(report) || c.vetoForLackOfRoom() {
			continue
		}
		p, err := c.plan(ctx, report)
		if err != nil {
			return c.outcome(Result{Writes: c.writes}), err
		}
		again := c.vetoConflicts(p)
		if again = c.reportRemnants(p) || again; c.reportUnlisted() || again {
			continue
		}
		out, err := c.carryOut(ctx, p)
		if c.tooLong == nil && errors.As(err, &c.tooLong) {
			continue
		}
		if again, failed := c.noteFailedDeletions(ctx, err); !again {
			return out, failed
		}
	}
}

// lookedAt is what is decided, for preflight: while the Mesh in force stays because of
// a fault of the cluster, the declared one still says where the mesh config is. After
// an upgrade nobody may read that of the revision before. Rendering does not ask.
func (c *converger) lookedAt() Spec {
	out := c.decision.Spec
	if c.meshVetoed && c.refusal == nil {
		out.Mesh.Spec.ControlPlane = c.wish.Mesh.Spec.ControlPlane
	}
	return out
}

// noteFailedDeletions records the deletions that failed and says whether another round
// is to go on without them: what is to be narrowed must not wait for them, and nothing
// may be added beside them before they have been judged.
func (c *converger) noteFailedDeletions(ctx context.Context, err error) (bool, error) {
	var withdrawal *apply.WithdrawalError
	if !errors.As(err, &withdrawal) {
		if passing := c.tryAgain(); len(passing) > 0 && err == nil {
			return false, &PassingError{Errs: passing}
		}
		return false, errors.Join(append(c.tryAgain(), err)...)
	}
	for _, f := range withdrawal.Failed {
		c.undeleted[f.Object] = f.Err
		var refusal *kube.ConflictError
		if !kube.AsRefusal(f.Object, f.Err, &refusal) {
			c.passing[f.Object] = f.Err
		}
	}
	c.neverReadmitWithdrawn()
	c.inventory, err = inventory.Recall(ctx, c.engine.client, c.home)
	return err == nil, err
}

// tryAgain are the passing errors in the order of their objects.
func (c *converger) tryAgain() []error {
	out := make([]error, 0, len(c.passing)+1)
	for _, ref := range slices.SortedFunc(maps.Keys(c.passing), func(a, b kube.Ref) int { return strings.Compare(a.String(), b.String()) }) {
		out = append(out, c.passing[ref])
	}
	return out
}

func (c *converger) plan(ctx context.Context, report preflight.Report) (Plan, error) {
	objects, err := c.engine.render(c.decision.Spec, report.Facts)
	if err != nil {
		return Plan{}, err
	}
	if !c.unlistedKnown {
		if c.unlisted, err = c.engine.unlisted(ctx, c.home, report.Unlisted, objects); err != nil {
			return Plan{}, err
		}
		c.unlistedKnown = true
	}
	return plan.Make(ctx, c.engine.client, plan.Input{
		Spec: c.decision.Spec, Objects: objects, Inventory: c.inventory, Predict: plan.ByServer(c.engine.client),
		Persist: true, Added: true, Failed: c.undeleted, Unrehearsed: c.unrehearsed,
		Scope: func(o *unstructured.Unstructured) bool { return report.Unread[o.GetNamespace()] == nil },
	})
}

func (c *converger) carryOut(ctx context.Context, p Plan) (Convergence, error) {
	reached, err := c.reached(p)
	if err != nil {
		return c.outcome(Result{Writes: c.writes}), err
	}
	writes, err := apply.Run(ctx, c.engine.client, apply.Input{
		Plan: p, Wish: c.decision.Spec, Reached: &reached, Inventory: c.inventory, Home: c.home, Keeper: inventory.KeeperController,
		Shrinks: c.tooLong != nil, Revisited: true,
	})
	c.writes += writes
	out := c.outcome(Result{Plan: p, Writes: c.writes, Left: p.Left})
	out.InForce = reached
	return out, err
}

// refusedMesh is the end when the Mesh itself is wrong, and so is the one in force, or
// there is none: nothing can be rendered without one.
func (c *converger) refusedMesh(err error) (Convergence, error) {
	var invalid *ValidationError
	if !errors.As(err, &invalid) {
		return Convergence{}, err
	}
	key := c.wish.Mesh.Key()
	return Convergence{InForce: c.held, Verdicts: map[api.Key]Verdict{
		key: {Form: FormNone, Problems: slices.Concat(c.vetoed[key], invalid.Problems)},
	}}, nil
}

func (c *converger) outcome(r Result) Convergence {
	out := Convergence{Result: r, InForce: c.decision.Spec, Verdicts: map[api.Key]Verdict{}}
	for key, ruling := range c.decision.Rulings {
		out.Verdicts[key] = Verdict{Form: ruling.Form, Problems: c.problems(key, ruling.Problems)}
	}
	key := c.wish.Mesh.Key()
	mesh := Verdict{Form: FormWhole, Problems: c.problems(key, nil)}
	if c.meshVetoed {
		mesh = Verdict{Form: FormEarlier, Problems: c.problems(key, c.vetoed[key])}
	}
	out.Verdicts[key] = mesh
	return out
}

// problems are those that keep a declaration from being in force as it stands and
// then those with what is in force of it: a grant that somebody has opened must be
// told, whatever else is wrong. What was vetoed for a problem meets it again in the
// next round, and is told once.
func (c *converger) problems(key api.Key, asItStands []api.Problem) []api.Problem {
	out := slices.Clip(asItStands)
	for _, p := range c.problemsInForce[key] {
		if !slices.Contains(asItStands, p) {
			out = append(out, p)
		}
	}
	return out
}
