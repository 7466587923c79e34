package suite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/reports"
)

// Capabilities relate tags to what an implementation declares: a scenario
// tagged with a known capability needs it.
type Capabilities struct {
	// Known is the closed vocabulary, without "@". A tag outside it is no
	// capability.
	Known []string
	// Declared are those the implementation claims to have.
	Declared []string
}

// missing are the capabilities the scenario needs and nobody declared.
func (c Capabilities) missing(s Scenario) []string {
	var missing []string
	for _, tag := range s.Tags {
		name := strings.TrimPrefix(tag, "@")
		if slices.Contains(c.Known, name) && !slices.Contains(c.Declared, name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// undeclared is the rest of the vocabulary.
func (c Capabilities) undeclared() []string {
	return slices.DeleteFunc(slices.Clone(c.Known), func(name string) bool { return slices.Contains(c.Declared, name) })
}

// validate refuses a declaration outside the vocabulary: most likely a typing
// error, which would turn a claimed capability into one that is never tested.
func (c Capabilities) validate() error {
	for _, name := range c.Declared {
		if !slices.Contains(c.Known, name) {
			return fmt.Errorf("%w: capability %q is declared; known are %s", ErrUsage, name, strings.Join(c.Known, " "))
		}
	}
	return nil
}

// split parts the scenarios that can be run from those that are not supported.
func (c Capabilities) split(selected []Scenario) (runnable []Scenario, unsupported []reports.Scenario, err error) {
	for _, s := range selected {
		missing := c.missing(s)
		if len(missing) == 0 {
			runnable = append(runnable, s)
			continue
		}
		entry := describe(s)
		entry.Verdict = reports.NotSupported
		entry.Reason = "not declared by the engine: " + strings.Join(missing, ", ")
		entry.Faults = []reports.Fault{{Kind: reports.FaultCapability, Text: entry.Reason}}
		unsupported = append(unsupported, entry)
	}
	if len(runnable) == 0 {
		return nil, nil, fmt.Errorf("%w: each of the %d selected scenarios needs a capability the engine does not declare (it declares %s)",
			ErrUsage, len(selected), strings.Join(c.Declared, " "))
	}
	return runnable, unsupported, nil
}
