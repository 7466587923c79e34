package apply

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/plan"
)

// base is the inventory to go on from: it carries the version that guards
// against a second engine.
func (r *run) base() inventory.Inventory {
	if r.Inventory == nil {
		return inventory.Inventory{Mesh: r.Wish.Mesh.Name}
	}
	return *r.Inventory
}

// intent lists everything that exists or is about to, the deletions included:
// whatever happens next, the following run finds it.
func (r *run) intent() inventory.Inventory {
	inv := r.base()
	inv.Phase, inv.Keeper = inventory.PhaseApplying, r.Keeper
	inv.Intended = &r.Wish
	inv.Items = r.items(true)
	return inv
}

// announce writes the intent. A wish for which there is no room ends here, before
// anything is touched. One that only takes away goes on without: as long as
// nothing is made, the inventory as it stands lists all that there is.
func (r *run) announce(ctx context.Context) error {
	intent := r.intent()
	if !r.Shrinks {
		if err := intent.Room(r.Home); err != nil {
			return err
		}
	}
	err := r.save(ctx, intent)
	var long *inventory.TooLongError
	if r.Shrinks && errors.As(err, &long) {
		r.unannounced = true
		return nil
	}
	return err
}

// finished lists what exists when every change has been made.
func (r *run) finished() inventory.Inventory {
	inv := r.base()
	inv.Phase, inv.Keeper = inventory.PhaseApplied, r.Keeper
	inv.Applied, inv.Intended = r.Reached, nil
	if r.unfinished {
		inv.Phase, inv.Intended = inventory.PhaseApplying, &r.Wish
		inv.Applied = r.base().Applied
	}
	inv.Items = r.items(false)
	return inv
}

// items include what the plan cannot take away: it is tried again by every run.
// They are sorted: their order must not depend on what was done to them, or the
// next run would find something to write down.
func (r *run) items(withDeletions bool) []inventory.Item {
	var out []inventory.Item
	for _, ch := range r.Plan.Changes {
		if ch.Action != plan.ActionDelete || withDeletions {
			out = append(out, inventory.Item{Ref: ch.Object, UID: r.uids[ch.Object], Role: ch.Role()})
		}
	}
	out = append(out, r.Plan.Kept()...)
	slices.SortFunc(out, func(a, b inventory.Item) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return out
}
