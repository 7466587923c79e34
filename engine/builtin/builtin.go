// Package builtin runs the project's own engine, package federator, in the
// harness's process.
package builtin

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/federator"
)

// Name is the engine's word on the command line.
const Name = "builtin"

// Engine is federator as a system under test. The zero value works.
type Engine struct {
	version string
	options []federator.Option
}

var _ engine.Engine = Engine{}

// New makes the engine; version is for reports. Options reach federator as
// they are: the tests that break the engine on purpose use them.
func New(version string, options ...federator.Option) Engine {
	return Engine{version: version, options: options}
}

// Name implements engine.Engine.
func (Engine) Name() string { return Name }

// Version implements engine.Engine.
func (e Engine) Version() string { return e.version }

// Capabilities implements engine.Engine: it claims all there are.
func (Engine) Capabilities() []engine.Capability { return engine.Capabilities() }

// Apply implements engine.Engine.
func (e Engine) Apply(ctx context.Context, c cluster.Cluster, declarations string) error {
	if err := e.do(ctx, c, declarations, (*federator.Engine).Apply); err != nil {
		return fmt.Errorf("apply in %s: %w", c.Name(), err)
	}
	return nil
}

// Cancel implements engine.Engine.
func (e Engine) Cancel(ctx context.Context, c cluster.Cluster, declarations string) error {
	if err := e.do(ctx, c, declarations, (*federator.Engine).Cancel); err != nil {
		return fmt.Errorf("cancel in %s: %w", c.Name(), err)
	}
	return nil
}

// verb is Apply or Cancel of federator.
type verb func(*federator.Engine, context.Context, federator.Spec, ...federator.ApplyOption) (federator.Result, error)

func (e Engine) do(ctx context.Context, c cluster.Cluster, declarations string, act verb) error {
	spec, err := federator.Parse("declarations", strings.NewReader(declarations))
	if err != nil {
		return err
	}
	config, err := cluster.RESTConfig(c)
	if err != nil {
		return err
	}
	f, err := federator.New(config, e.options...)
	if err != nil {
		return err
	}
	_, err = act(f, ctx, spec)
	return err
}
