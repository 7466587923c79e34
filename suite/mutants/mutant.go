package mutants

import (
	"context"
	"fmt"
	"slices"

	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/federator/mutation"
)

// Mutant is an engine that is broken on purpose.
type Mutant struct {
	// Name says what is wrong.
	Name string
	// Where it is wrong: a part of the boundary, or the engine itself.
	Where string
	// Widens is set if somebody gets something that no declaration grants.
	Widens bool
	// Equivalent is the proof that nothing can be noticed; empty for all others.
	Equivalent string
	// Engine makes the broken engine, anew for each scenario: some remember.
	Engine func() Broken
	// Suspects are the ids of the scenarios that ought to notice, the most
	// likely and cheapest first.
	Suspects []string
}

// Broken is an engine with a fault that says how far the fault has come.
type Broken interface {
	engine.Engine
	// InForce says that a cluster has accepted what is faulty.
	InForce() bool
	// Refused is the error of an API server that does not take it; nil if none said so.
	Refused() error
	// Unsure is an error after which nobody knows whether a cluster has accepted
	// it; nil if there was none.
	Unsure() error
	// Settle returns when nothing that the engine has begun is still running.
	Settle(ctx context.Context) error
}

// All are all mutants: every mutation of the objects, and engines that are
// faulty otherwise.
func All() []Mutant {
	var all []Mutant
	for _, m := range mutation.All() {
		all = append(all, Mutant{
			Name: m.Name, Where: string(m.Part), Widens: m.Widens, Equivalent: m.Equivalent,
			Engine: func() Broken { return newObjectsFault(m) }, Suspects: suspects(m),
		})
	}
	return slices.Concat(faultyEngines(), all)
}

// Check says what is wrong with a list of mutants: a name twice, or a suspect
// that no feature has.
func Check(all []Mutant, scenarios []string) error {
	seen := map[string]bool{}
	for _, m := range all {
		if seen[m.Name] {
			return fmt.Errorf("two mutants are called %q", m.Name)
		}
		seen[m.Name] = true
		if len(m.Suspects) == 0 {
			return fmt.Errorf("mutant %q: nobody is to look for it", m.Name)
		}
		for _, id := range m.Suspects {
			if !slices.Contains(scenarios, id) {
				return fmt.Errorf("mutant %q: no scenario has the id %s", m.Name, id)
			}
		}
	}
	return nil
}
