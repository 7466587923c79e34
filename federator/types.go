package federator

import (
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/plan"
)

// Spec is the whole wish of one cluster.
type Spec = api.Spec

// Plan is the difference between the wish and the cluster: every object with
// its action, and the blast radius in words. The zero value says "no change".
type Plan = plan.Plan

// Change is one object of a plan.
type Change = plan.Change

// Action is what a change does to its object.
type Action = plan.Action

// The actions of a change.
const (
	ActionCreate    = plan.ActionCreate
	ActionUpdate    = plan.ActionUpdate
	ActionDelete    = plan.ActionDelete
	ActionUnchanged = plan.ActionUnchanged
)

// Effect is one sentence of the blast radius.
type Effect = plan.Effect

// Result is what an Apply or a Cancel did.
type Result struct {
	// Plan that was carried out; after a dry run, the plan that would be.
	Plan Plan `json:"plan"`
	// Writes counts requests that changed the cluster, the inventory's included.
	// Zero when everything was in place already, and after a dry run.
	Writes int `json:"writes"`
	// DryRun is true when nothing was written on purpose.
	DryRun bool `json:"dryRun,omitempty"`
	// Left are objects of the inventory that were not deleted because another
	// owner has replaced them since: they have another UID. They may still do what
	// ours did, so they stay in the inventory; but for placeholders, whose Services
	// belong to whoever has the name. Labels of ours on such a Service mean nothing
	// any more. After a Converge that withdraws a whole mesh, what carries its labels
	// and is in no inventory is among them, too.
	Left []plan.ObjectRef `json:"left,omitempty"`
}

// DeclarationState is the closed set of states a declaration can be in.
type DeclarationState string

// The states of a declaration.
const (
	// StateApplied: every object is in place, exactly as rendered.
	StateApplied DeclarationState = "applied"
	// StatePending: nothing or only part of it has been created.
	StatePending DeclarationState = "pending"
	// StateDrifted: an object differs from what is rendered.
	StateDrifted DeclarationState = "drifted"
	// StateOrphaned: the inventory holds objects of a declaration that the spec no
	// longer has.
	StateOrphaned DeclarationState = "orphaned"
)

// DeclarationStatus is the state of one declaration and of its objects.
type DeclarationStatus struct {
	Declaration string           `json:"declaration"`
	State       DeclarationState `json:"state"`
	Objects     []Change         `json:"objects"`
}

// Status is the state of a whole wish.
type Status struct {
	Mesh string `json:"mesh"`
	// InSync is true when every object is exactly as rendered and nothing stands in
	// the way of an Apply.
	InSync bool `json:"inSync"`
	// Unfinished is true when the last Apply did not reach its end.
	Unfinished bool `json:"unfinished,omitempty"`
	// Problems are what preflight found and what could not be withdrawn, one line each.
	Problems     []string            `json:"problems,omitempty"`
	Declarations []DeclarationStatus `json:"declarations"`
}
