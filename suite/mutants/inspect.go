package mutants

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/federator"
)

const (
	// showing bounds how long a gateway may take to run what was applied.
	showing = 10 * time.Second
	// between two looks at a gateway.
	between = 200 * time.Millisecond
)

// aboutObjects are the findings that a look at the objects alone gives.
func aboutObjects() []federator.FindingKind {
	var kinds []federator.FindingKind
	for _, k := range federator.FindingKinds() {
		if strings.HasPrefix(string(k), "object-") || k == "foreign-object" || k == "mesh-config" {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// inspect has `federator verify` look at a cluster until its findings are enough
// and the same twice, so that none is of a gateway that is still being told; or
// for as long as that may take. It returns the kinds of the last look.
func inspect(ctx context.Context, c cluster.Cluster, declarations string, enough func([]federator.FindingKind) bool) ([]federator.FindingKind, error) {
	spec, err := federator.Parse("declarations", strings.NewReader(declarations))
	if err != nil {
		return nil, err
	}
	config, err := cluster.RESTConfig(c)
	if err != nil {
		return nil, err
	}
	f, err := federator.New(config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, showing)
	defer cancel()
	var last []federator.FindingKind
	for looked := false; ; looked = true {
		report, err := f.Verify(ctx, spec)
		if err != nil && looked && ctx.Err() != nil {
			return last, nil
		}
		if err != nil {
			return nil, fmt.Errorf("verify %s: %w", c.Name(), err)
		}
		var kinds []federator.FindingKind
		for _, one := range report.Findings {
			kinds = append(kinds, one.Kind)
		}
		slices.Sort(kinds)
		kinds = slices.Compact(kinds)
		steady := looked && slices.Equal(kinds, last)
		if last = kinds; steady && enough(kinds) {
			return kinds, nil
		}
		select {
		case <-ctx.Done():
			return kinds, nil
		case <-time.After(between):
		}
	}
}

// inGateway says whether one of the findings is about what a gateway runs. That
// something is missing there may only mean that the gateway has still to hear.
func inGateway(kinds []federator.FindingKind) bool {
	return slices.ContainsFunc(kinds, func(k federator.FindingKind) bool {
		return !slices.Contains(aboutObjects(), k) && !strings.HasSuffix(string(k), "-missing")
	})
}

// Overlooked says whether verify was to look, at a fault that lets somebody have
// too much, and has found nothing, neither in the objects nor in a gateway.
func (r Result) Overlooked() bool {
	return r.Widens && !slices.ContainsFunc(r.Tries, func(t Try) bool { return len(t.Found) > 0 })
}

// inspected is the sound engine, of which verify must find nothing.
type inspected struct{ engine.Engine }

// Apply implements engine.Engine.
func (e inspected) Apply(ctx context.Context, c cluster.Cluster, declarations string) error {
	if err := e.Engine.Apply(ctx, c, declarations); err != nil {
		return err
	}
	kinds, err := inspect(ctx, c, declarations, func(kinds []federator.FindingKind) bool { return len(kinds) == 0 })
	if err == nil && len(kinds) > 0 {
		err = fmt.Errorf("federator verify finds %v, and nothing is wrong", kinds)
	}
	return err
}
