package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// Remnant is an object of the inventory that the wish no longer has and that
// stays all the same. It stays in the inventory, too: what is forgotten is never
// withdrawn.
type Remnant struct {
	Item inventory.Item
	// Why it stays.
	Why *kube.ConflictError
}

// Remnants are the objects that this plan would take away and cannot.
func (p Plan) Remnants() []Remnant { return p.remnants }

// Kept are the items of the inventory beyond the wish that stay: the remnants, and
// what waits for them.
func (p Plan) Kept() []inventory.Item {
	out := make([]inventory.Item, 0, len(p.remnants)+len(p.waiting))
	for _, r := range p.remnants {
		out = append(out, r.Item)
	}
	return append(out, p.waiting...)
}

// holdFoundations leaves what a remnant rests on. Without its listener's default
// deny a gateway is open, and without the peer's verification a route that stays
// leads to anybody who answers there.
func (p *Plan) holdFoundations() {
	if !slices.ContainsFunc(p.remnants, func(r Remnant) bool { return r.LetsIn() || r.Item.Role == render.RoleListener }) {
		return
	}
	p.Changes = slices.DeleteFunc(p.Changes, func(c Change) bool {
		phase, _ := turn(c)
		if phase == phaseClear {
			p.waiting = append(p.waiting, inventory.Item{Ref: c.Object, UID: c.uid, Role: c.role})
		}
		return phase == phaseClear
	})
}

// LetsIn says whether it may still admit somebody or lead somewhere inside a
// gateway. While it stands nothing may be added beside it: a path that is free
// again would be served to those whom it still admits.
func (r Remnant) LetsIn() bool {
	return r.Item.Role == render.RoleGrant || r.Item.Role == render.RoleRoute
}

// deletion is what becomes of one object of the inventory beyond the wish.
type deletion struct {
	change Change
	// left: it is somebody else's by now.
	left bool
	// remnant is set when it stays and must not be forgotten.
	remnant *Remnant
}

// ours says whether an object is the one that the inventory recorded. Its UID
// tells: labels can be changed by anybody who may edit it, and must not decide
// whether something is withdrawn. Only where no UID was recorded, because a crash
// came first, do the labels count.
func ours(live *unstructured.Unstructured, recorded types.UID, mesh string) bool {
	if recorded == "" {
		return render.Owned(live, mesh)
	}
	return recorded == live.GetUID()
}

// remains is the outcome for an object that cannot be taken away.
func remains(item inventory.Item, err error) deletion {
	var why *kube.ConflictError
	if !errors.As(err, &why) && !kube.AsRefusal(item.Ref, err, &why) {
		why = &kube.ConflictError{Object: item.Ref, Reason: "it cannot be deleted; this is tried again: " + err.Error()}
	}
	return deletion{change: Change{Object: item.Ref, role: item.Role, conflict: why}, remnant: &Remnant{Item: item, Why: why}}
}

// removeOrKeep leaves what the API server will not show or delete as it stands
// when the plan persists: one object must not hold up the others' withdrawals.
func removeOrKeep(ctx context.Context, c kube.Client, item inventory.Item, in Input) (deletion, error) {
	if err := in.Failed[item.Ref]; err != nil {
		return remains(item, err), nil
	}
	out, err := remove(ctx, c, item, in.Spec.Mesh.Name)
	var refusal *kube.ConflictError
	if in.Persist && (errors.As(err, &refusal) || kube.AsRefusal(item.Ref, err, &refusal)) {
		return remains(item, err), nil
	}
	if in.Persist && err == nil && out.change.conflict != nil {
		return remains(item, out.change.conflict), nil
	}
	return out, err
}

// remove decides about one object that the inventory holds and the wish does not.
func remove(ctx context.Context, c kube.Client, item inventory.Item, mesh string) (deletion, error) {
	out := deletion{change: Change{Object: item.Ref, role: item.Role}}
	live, err := c.Get(ctx, item.Ref)
	if err != nil || live == nil {
		return out, err
	}
	if item.Role == render.RolePlaceholder && !render.Placeholder(live) {
		// A placeholder holds a name until its owner has a Service there, and that has
		// happened. It lets nobody in. One with the name of another mesh waited when this
		// mesh still had that name.
		out.left = true
		return out, nil
	}
	if !ours(live, item.UID, mesh) {
		out.left = true
		if item.Role != render.RolePlaceholder {
			out.remnant = &Remnant{Item: item, Why: &kube.ConflictError{Object: item.Ref,
				Reason: "it is not the object that this mesh made, but has its name and may do what that did; delete it or rename it"}}
		}
		return out, nil
	}
	if live.GetDeletionTimestamp() != nil {
		// Still a deletion to make, which fails as it did before: the others go on
		// around it, and nothing is added.
		out.change.conflict = lingering(live)
	}
	if len(live.GetFinalizers()) > 0 {
		out.change.lingers = lingering(live)
	}
	out.change.Action, out.change.uid = ActionDelete, live.GetUID()
	out.change.DeclaredBy = render.DeclaredBy(live)
	out.change.Diff, err = diff(live, nil)
	return out, err
}

// lingering is what is wrong with an object that its finalizers keep after its
// deletion: Istio goes by it until it is gone.
func lingering(o *unstructured.Unstructured) *kube.ConflictError {
	return &kube.ConflictError{Object: kube.RefOf(o), Reason: fmt.Sprintf(
		"it is deleted, but in force as long as its finalizers keep it (%s); let whoever set them take them off", strings.Join(o.GetFinalizers(), ", "))}
}
