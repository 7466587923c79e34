package inventory

import (
	"bytes"
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// Phase is how far the last apply came.
type Phase string

// The two phases.
const (
	// PhaseApplying: begun; the cluster is between two wishes.
	PhaseApplying Phase = "applying"
	// PhaseApplied: ended; the cluster holds Applied.
	PhaseApplied Phase = "applied"
)

// Keeper is who keeps a cluster as it should be. The set is closed.
type Keeper string

// The keepers; the zero value is a person, or whatever runs the command for one.
const (
	KeeperCommand Keeper = ""
	// KeeperController looks at the declarations inside the cluster.
	KeeperController Keeper = "controller"
)

// Item is one object that the engine made or is about to make.
type Item struct {
	kube.Ref `json:",inline"`
	// UID of the object; empty while it is only intended.
	UID  types.UID   `json:"uid,omitempty"`
	Role render.Role `json:"role"`
}

// Inventory is what the engine remembers of one cluster. A nil Inventory is an
// empty one.
type Inventory struct {
	Mesh  string `json:"mesh"`
	Phase Phase  `json:"phase"`
	// Keeper tells a controller without a single declaration whether that means
	// "withdraw everything" or "nobody asked me yet".
	Keeper Keeper `json:"keeper,omitempty"`
	// Applied is the wish that was last reached; nil before the first.
	Applied *api.Spec `json:"applied,omitempty"`
	// Intended is the wish under way; nil in PhaseApplied.
	Intended *api.Spec `json:"intended,omitempty"`
	Items    []Item    `json:"items"`

	// version guards against two engines at once.
	version string
}

// Wishes are the wishes the cluster may hold, in the order they were made.
func (inv *Inventory) Wishes() []api.Spec {
	if inv == nil {
		return nil
	}
	var out []api.Spec
	switch {
	case inv.Applied != nil:
		out = append(out, *inv.Applied)
	case inv.Intended != nil:
		out = append(out, api.Spec{})
	}
	if inv.Intended != nil {
		out = append(out, *inv.Intended)
	}
	return out
}

// Latest is the newest wish, nil when there never was one.
func (inv *Inventory) Latest() *api.Spec {
	switch {
	case inv == nil:
		return nil
	case inv.Intended != nil:
		return inv.Intended
	}
	return inv.Applied
}

// PassTo makes the inventory of a mesh of which everything was withdrawn that of
// another one. What could not be taken away goes with it.
func (inv *Inventory) PassTo(mesh string) {
	if inv != nil {
		inv.Mesh, inv.Applied, inv.Intended = mesh, nil, nil
	}
}

// Beyond are the items that objects no longer has.
func (inv *Inventory) Beyond(objects []*unstructured.Unstructured) []Item {
	if inv == nil {
		return nil
	}
	wanted := make(map[kube.Ref]bool, len(objects))
	for _, o := range objects {
		wanted[kube.RefOf(o)] = true
	}
	return slices.DeleteFunc(slices.Clone(inv.Items), func(i Item) bool { return wanted[i.Ref] })
}

// Lists says whether an object is in it.
func (inv *Inventory) Lists(ref kube.Ref) bool {
	return inv != nil && slices.ContainsFunc(inv.Items, func(i Item) bool { return i.Ref == ref })
}

// Equal says whether two inventories would be stored alike.
func (inv Inventory) Equal(other Inventory) bool {
	a, errA := json.Marshal(inv)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// UIDs are the recorded UIDs by object; an object only intended has none.
func (inv *Inventory) UIDs() map[kube.Ref]types.UID {
	if inv == nil {
		return nil
	}
	out := make(map[kube.Ref]types.UID, len(inv.Items))
	for _, i := range inv.Items {
		out[i.Ref] = i.UID
	}
	return out
}
