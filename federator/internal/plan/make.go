package plan

import (
	"context"
	"errors"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// parallel bounds how many objects are asked for at once: enough to hide a
// round trip, not enough to be noticed by the API server.
const parallel = 8

// Input is what a plan is made from.
type Input struct {
	Spec    api.Spec
	Objects []*unstructured.Unstructured
	// Inventory as it stands in the cluster; nil when there is none.
	Inventory *inventory.Inventory
	Predict   Predict
	// Scope narrows the comparison: objects outside it are taken as they stand,
	// unread. Nil: every object is compared.
	Scope func(*unstructured.Unstructured) bool
	// Persist goes on past conflicts and lists them in the plan: a dispute over one
	// object must not keep another from being withdrawn.
	Persist bool
	// Failed are deletions that have just been tried in vain, with the error: they
	// are not tried again by this plan, and their objects are its remnants.
	Failed map[kube.Ref]error
	// Added looks for fields that others have added to an object, too: no apply
	// takes them away, and the object may mean something else by them.
	Added bool

	// Unrehearsed are objects whose rehearsal has just failed with a Passing error: they
	// are not rehearsed again by this plan.
	Unrehearsed map[kube.Ref]error

	// uids are the inventory's, looked up for every object.
	uids map[kube.Ref]types.UID
	// slow is set once a rehearsal has waited in vain.
	slow *atomic.Bool
}

// Make compares every rendered object and every object of the inventory with
// the cluster.
func Make(ctx context.Context, c kube.Client, in Input) (Plan, error) {
	p := Plan{Mesh: in.Spec.Mesh.Name, Effects: Effects(in.Inventory.Wishes(), in.Spec)}
	p.Unfinished = in.Inventory != nil && in.Inventory.Phase != inventory.PhaseApplied
	in.uids, in.slow = in.Inventory.UIDs(), &atomic.Bool{}
	stale := in.Inventory.Beyond(in.Objects)
	wanted := make([]Change, len(in.Objects))
	gone := make([]deletion, len(stale))

	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, o := range in.Objects {
		g.Go(func() (err error) {
			wanted[i], err = compareOrKeep(gctx, c, o, in)
			return err
		})
	}
	for i, item := range stale {
		g.Go(func() (err error) {
			gone[i], err = removeOrKeep(gctx, c, item, in)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Plan{}, err
	}
	p.collect(wanted, gone)
	return p, nil
}

// collect puts the findings together in the order of execution.
func (p *Plan) collect(wanted []Change, gone []deletion) {
	p.Changes = wanted
	for i := range wanted {
		if wanted[i].conflict != nil {
			p.Conflicts = append(p.Conflicts, wanted[i].conflict)
		}
	}
	for _, d := range gone {
		if d.remnant != nil {
			p.remnants = append(p.remnants, *d.remnant)
		}
		if d.change.conflict != nil {
			p.Conflicts = append(p.Conflicts, d.change.conflict)
		}
		switch {
		case d.left:
			p.Left = append(p.Left, d.change.Object)
		case d.change.Action == ActionDelete:
			p.Changes = append(p.Changes, d.change)
		}
	}
	sortChanges(p.Changes)
	p.holdFoundations()
}

// compareOrKeep leaves an object as it stands that is disputed, or that the API
// server does not rehearse, when the plan persists.
func compareOrKeep(ctx context.Context, c kube.Client, o *unstructured.Unstructured, in Input) (Change, error) {
	out, err := compare(ctx, c, o, in)
	var conflict *kube.ConflictError
	var unrehearsed *rehearsalError
	switch {
	case err == nil || !in.Persist:
		return out, err
	case errors.As(err, &conflict) || kube.AsRefusal(kube.RefOf(o), err, &conflict):
		out = keep(o, in)
		out.conflict = conflict
		return out, nil
	case errors.As(err, &unrehearsed) && kube.Answered(err):
		out = keep(o, in)
		out.conflict, out.passing, out.asRendered = unrehearsed.conflict(out.Object), err, unrehearsed.asRendered
		return out, nil
	}
	return Change{}, err
}

// keep takes an object as it stands, with what the inventory knows of it.
func keep(o *unstructured.Unstructured, in Input) Change {
	ref := kube.RefOf(o)
	return Change{Action: ActionUnchanged, Object: ref, DeclaredBy: render.DeclaredBy(o),
		role: render.RoleOf(o), desired: o, uid: in.uids[ref]}
}

func compare(ctx context.Context, c kube.Client, o *unstructured.Unstructured, in Input) (Change, error) {
	out := keep(o, in)
	if in.Scope != nil && !in.Scope(o) {
		return out, nil
	}
	live, err := c.Get(ctx, out.Object)
	if err != nil {
		return Change{}, err
	}
	mesh := in.Spec.Mesh.Name
	if live != nil && !render.Owned(live, mesh) && !ours(live, out.uid, mesh) {
		return Change{}, &kube.ConflictError{Object: out.Object,
			Reason: "it exists and is not this mesh's; remove or rename it"}
	}
	after, err := in.rehearse(ctx, live, o)
	if err != nil {
		return Change{}, &rehearsalError{err: err, asRendered: asRendered(ctx, live, o)}
	}
	if in.Added && live != nil {
		out.added = added(after, o)
	}
	switch {
	case live == nil:
		out.Action, out.uid = ActionCreate, ""
	case same(live, after):
		out.Action, out.uid = ActionUnchanged, live.GetUID()
		return out, nil
	default:
		out.Action, out.uid, out.ChangedBy = ActionUpdate, live.GetUID(), others(live)
		out.withdraws = withdrawal(live, o)
	}
	out.Diff, err = diff(live, after)
	return out, err
}
