package plan

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// ObjectRef names one object of a cluster.
type ObjectRef = kube.Ref

// Action is what a change does to its object.
type Action string

// The actions; the set is closed.
const (
	ActionCreate    Action = "create"
	ActionUpdate    Action = "update"
	ActionDelete    Action = "delete"
	ActionUnchanged Action = "unchanged"
)

// Change is one object of a plan.
type Change struct {
	Action Action    `json:"action"`
	Object ObjectRef `json:"object"`
	// DeclaredBy are the declarations it stands for, such as Exposure/bookinfo/reviews-v2.
	DeclaredBy []string `json:"declaredBy,omitempty"`
	// Diff is a unified diff of the object's YAML; empty when nothing changes.
	Diff string `json:"diff,omitempty"`
	// ChangedBy are the other managers that own fields of the object as it stands,
	// with the time of their last write; only for objects that differ.
	ChangedBy []string `json:"changedBy,omitempty"`

	role    render.Role
	desired *unstructured.Unstructured
	uid     types.UID
	// withdraws is what an update takes away, done before anything is added; nil when
	// it takes nothing away. It is desired itself when there is nothing to add.
	withdraws *unstructured.Unstructured
	// first of the two steps of an update.
	first bool
	// conflict kept the object from being compared, see Input.Persist, or keeps one
	// that is deleted already.
	conflict *kube.ConflictError
	// passing is the error behind a conflict that may be gone soon.
	passing error
	// asRendered goes with passing.
	asRendered bool
	// lingers is set for a deletion that finalizers will hold up.
	lingers *kube.ConflictError
	// added are fields of others; see Input.Added.
	added *kube.ConflictError
}

// Desired is the rendered object, nil for a deletion.
func (c Change) Desired() *unstructured.Unstructured { return c.desired }

// First says whether this is the first of the two steps of an update, the one that
// only takes away. It is pointless unless the second step, which adds, follows.
func (c Change) First() bool { return c.first }

// Role is the object's part at the boundary.
func (c Change) Role() render.Role { return c.role }

// UID is the live object's, empty when there is none yet.
func (c Change) UID() types.UID { return c.uid }

// Conflict kept the object from being compared; nil when there was none. It is
// set only in a plan that persists.
func (c Change) Conflict() *kube.ConflictError { return c.conflict }

// Passing is the error behind a conflict that may go by itself: the next plan is to
// be made soon. It is nil when somebody has to mend it.
func (c Change) Passing() error { return c.passing }

// AsRendered says of an object with a Passing error that it is as it would be made.
func (c Change) AsRendered() bool { return c.asRendered }

// Added are fields that others have added to the object and that an apply leaves
// as they are; nil when there are none. It is set only in a plan that asks for it.
func (c Change) Added() *kube.ConflictError { return c.added }

// Lingers says why a deleted object stays after all; nil when it will be gone.
func (c Change) Lingers() *kube.ConflictError { return c.lingers }

// EffectKind is the closed set of ways in which reach changes.
type EffectKind string

// The kinds of effect.
const (
	Gains   EffectKind = "gains"
	Loses   EffectKind = "loses"
	Changes EffectKind = "changes"
)

// Effect is one sentence of the blast radius.
type Effect struct {
	Kind EffectKind `json:"kind"`
	// Subject is who is affected: a peer, or the workloads of a namespace.
	Subject string `json:"subject"`
	// Sentence is the whole story on one line.
	Sentence string `json:"sentence"`
}

// Plan is the difference between the wish and the cluster.
type Plan struct {
	Mesh string `json:"mesh"`
	// Changes has every object once, the unchanged ones too, in the order of execution;
	// Steps are what is really written.
	Changes []Change `json:"changes"`
	// Effects is the blast radius, against what was last applied.
	Effects []Effect `json:"effects,omitempty"`
	// Unfinished is true when the last apply did not reach its end, so that the
	// cluster may be anywhere between two wishes.
	Unfinished bool `json:"unfinished,omitempty"`
	// Left are objects of the inventory that belong to somebody else by now and
	// will not be touched.
	Left []ObjectRef `json:"left,omitempty"`
	// Conflicts are disputes that do not stop this plan (only a cancel goes on
	// past them), what the API server will not show, rehearse or delete included, and
	// what a finalizer keeps after its deletion; their objects stay as they are.
	Conflicts []*kube.ConflictError `json:"conflicts,omitempty"`

	remnants []Remnant
	// waiting are deletions that wait for the remnants to go.
	waiting []inventory.Item
}

// Steps are the writes of a plan in the order of execution: its changes, and before
// them what some of them take away first.
func (p Plan) Steps() []Change {
	steps := make([]Change, 0, len(p.Changes))
	for _, c := range p.Changes {
		if c.withdraws != nil && c.withdraws != c.desired {
			earlier, later := c, c
			earlier.desired, earlier.first = c.withdraws, true
			later.withdraws = nil
			steps = append(steps, earlier, later)
			continue
		}
		steps = append(steps, c)
	}
	sortChanges(steps)
	return steps
}

// HasChanges says whether an apply would touch an object.
func (p Plan) HasChanges() bool { return p.Count(ActionUnchanged) < len(p.Changes) }

// Count is the number of changes with one action.
func (p Plan) Count(a Action) int {
	n := 0
	for _, c := range p.Changes {
		if c.Action == a {
			n++
		}
	}
	return n
}
