package apply

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/plan"
)

// Input is what a run needs.
type Input struct {
	Plan plan.Plan
	// Wish that the plan leads to; it is remembered for the next plan and for cancel.
	Wish api.Spec
	// Reached is what the cluster holds once the plan is carried out, which is
	// remembered as applied; nil: the wish.
	Reached *api.Spec
	// Inventory as loaded for the plan; nil when there was none.
	Inventory *inventory.Inventory
	// Home is the namespace of the inventory.
	Home   string
	Keeper inventory.Keeper
	// Partial says that the plan left some objects uncompared: such a run cannot
	// declare an earlier, unfinished apply finished.
	Partial bool
	// Shrinks says that the wish only takes away from the one before: it is carried
	// out however little room the inventory has.
	Shrinks bool
	// Revisited says that the caller plans again at once after a failed deletion. So
	// after one the first steps of updates are skipped: the updates themselves may be
	// refused by then.
	Revisited bool
}

// Run executes a plan and returns the number of writes, also with an error. It
// writes nothing at all when the cluster and the inventory are as they should be,
// nor when the wish takes more room than the inventory has (*inventory.TooLongError).
func Run(ctx context.Context, c kube.Client, in Input) (int, error) {
	if in.Reached == nil {
		in.Reached = &in.Wish
	}
	r := &run{Input: in, client: c, uids: map[kube.Ref]types.UID{}}
	r.unfinished = in.Partial && (in.Plan.Unfinished || len(in.Plan.Conflicts) > 0)
	for _, ch := range in.Plan.Changes {
		r.uids[ch.Object] = ch.UID()
	}
	if r.settled() {
		return 0, nil
	}
	err := r.do(ctx)
	return r.writes, err
}

type run struct {
	Input
	client kube.Client
	uids   map[kube.Ref]types.UID
	writes int
	// unfinished: an earlier apply stays unfinished after this run.
	unfinished bool
	// unannounced: the intent could not be written down.
	unannounced bool
}

// settled says whether there is nothing to do, not even to write down.
func (r *run) settled() bool {
	if r.Plan.HasChanges() {
		return false
	}
	done := r.finished()
	if r.Inventory == nil {
		return len(done.Items) == 0
	}
	return len(done.Items) > 0 && done.Equal(*r.Inventory)
}

func (r *run) do(ctx context.Context) error {
	if r.Plan.HasChanges() {
		if err := r.announce(ctx); err != nil {
			return err
		}
	}
	if err := r.changeAll(ctx); err != nil {
		return err
	}
	done := r.finished()
	if len(done.Items) > 0 {
		return r.save(ctx, done)
	}
	gone, err := inventory.Delete(ctx, r.client, r.Home)
	if gone {
		r.writes++
	}
	return err
}

// changeAll makes the plan's steps in their order. What only takes reach away goes
// on past an error of one object: a route that cannot be deleted must not keep
// somebody else's grant in force. What adds, and what takes away the foundations,
// does not begin after an error, and ends at its first. An API server that does not
// answer ends it at once.
func (r *run) changeAll(ctx context.Context) error {
	var failed failures
	for _, ch := range r.Plan.Steps() {
		if r.skips(ch, &failed) {
			continue
		}
		err := r.change(ctx, ch)
		if err == nil {
			continue
		}
		failed.note(ch, err)
		if !kube.Answered(err) {
			break
		}
	}
	return failed.err()
}

func (r *run) skips(ch plan.Change, failed *failures) bool {
	switch {
	case r.unannounced && ch.Action == plan.ActionCreate:
		return true
	case r.Revisited && ch.First() && len(failed.deletions) > 0:
		return true
	}
	return failed.any() && !ch.Narrows()
}

func (r *run) save(ctx context.Context, inv inventory.Inventory) error {
	saved, err := inv.Save(ctx, r.client, r.Home)
	if err != nil {
		return err
	}
	r.Inventory = saved
	r.writes++
	return nil
}

func (r *run) change(ctx context.Context, ch plan.Change) error {
	switch ch.Action {
	case plan.ActionCreate, plan.ActionUpdate:
		o, err := r.client.Apply(ctx, ch.Desired(), false)
		if err != nil {
			return err
		}
		r.uids[ch.Object] = o.GetUID()
		r.writes++
	case plan.ActionDelete:
		if why := ch.Conflict(); why != nil { // deleted before; there is nothing to write
			return fmt.Errorf("delete %s: %w", ch.Object, why)
		}
		gone, err := r.client.Delete(ctx, ch.Object, ch.UID())
		if err != nil {
			return err
		}
		if gone {
			r.writes++
		}
		if why := ch.Lingers(); gone && why != nil {
			return fmt.Errorf("delete %s: %w", ch.Object, why)
		}
	case plan.ActionUnchanged:
	default:
		return fmt.Errorf("apply %s: unknown action %q", ch.Object, ch.Action)
	}
	return nil
}
