package federator

import (
	"context"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/plan"
)

// Status compares the spec with the cluster, declaration by declaration, fields
// that others have added included. It needs no right to write. What the cluster
// lacks is part of the Status.
//
// Errors: *ValidationError, *ConflictError, or one of the cluster.
func (e *Engine) Status(ctx context.Context, spec Spec) (Status, error) {
	if err := api.Validate(spec); err != nil {
		return Status{}, err
	}
	v, err := e.look(ctx, spec)
	if err != nil {
		return Status{}, err
	}
	p, err := e.compare(ctx, spec, v, plan.Exactly)
	if err != nil {
		return Status{}, err
	}
	out := Status{Mesh: p.Mesh, InSync: !p.HasChanges() && !p.Unfinished, Unfinished: p.Unfinished}
	if v.refusal != nil {
		out.Problems = strings.Split(v.refusal.Error(), "\n")
		out.InSync = false
	}
	for _, r := range p.Remnants() {
		out.Problems = append(out.Problems, "not withdrawn: "+r.Why.Error())
		out.InSync = false
	}
	for _, c := range p.Conflicts { // nothing else is one in a plan that does not persist
		out.Problems = append(out.Problems, "not withdrawn: "+c.Error())
	}
	out.Declarations = byDeclaration(p)
	return out, nil
}

func byDeclaration(p Plan) []DeclarationStatus {
	var out []DeclarationStatus
	for _, c := range p.Changes {
		for _, by := range c.DeclaredBy {
			i := slices.IndexFunc(out, func(d DeclarationStatus) bool { return d.Declaration == by })
			if i < 0 {
				i = len(out)
				out = append(out, DeclarationStatus{Declaration: by, State: StateApplied})
			}
			out[i].Objects = append(out[i].Objects, c)
			out[i].State = worse(out[i].State, stateOf(c.Action))
		}
	}
	slices.SortFunc(out, func(a, b DeclarationStatus) int { return strings.Compare(a.Declaration, b.Declaration) })
	return out
}

func stateOf(a Action) DeclarationState {
	switch a {
	case ActionCreate:
		return StatePending
	case ActionUpdate:
		return StateDrifted
	case ActionDelete:
		return StateOrphaned
	}
	return StateApplied
}

// worse keeps the state that needs attention first.
func worse(a, b DeclarationState) DeclarationState {
	order := []DeclarationState{StateApplied, StateOrphaned, StateDrifted, StatePending}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}
