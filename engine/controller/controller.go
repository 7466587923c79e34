// Package controller runs the project's own engine as its users do: inside each
// cluster, as a Deployment with the rights of its manifest and nothing else. The
// harness only writes custom resources, and reads from their conditions when the
// controller has carried them out.
package controller

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/federator/deploy"
)

const (
	// Name is the engine's word on the command line.
	Name = "controller"
	// Image is what a provider must hold under this name: the program federator.
	Image = "meshfed.local/federator:dev"
	// namespace is the controller's own.
	namespace = "federator-system"
)

// Engine is the controller as a system under test. Make it with New.
type Engine struct{ version string }

var (
	_ engine.Engine    = Engine{}
	_ engine.Installer = Engine{}
)

// New makes the engine; version is for reports.
func New(version string) Engine { return Engine{version} }

// Name implements engine.Engine.
func (Engine) Name() string { return Name }

// Version implements engine.Engine.
func (e Engine) Version() string { return e.version }

// Capabilities implements engine.Engine: it claims all there are.
func (Engine) Capabilities() []engine.Capability { return engine.Capabilities() }

// Namespaces implements engine.Installer.
func (Engine) Namespaces() []string { return []string{namespace} }

// Install implements engine.Installer.
func (Engine) Install(ctx context.Context, c cluster.Cluster) error {
	if err := install(ctx, c); err != nil {
		return fmt.Errorf("install the controller in %s: %w", c.Name(), err)
	}
	return nil
}

func install(ctx context.Context, c cluster.Cluster) error {
	d, err := dial(c)
	if err != nil {
		return err
	}
	if err := vacant(ctx, d.dynamic); err != nil {
		return err
	}
	if err := c.LoadImage(ctx, Image); err != nil {
		return err
	}
	objects, err := deploy.Objects(deploy.Options{Image: cluster.ImageIn(c, Image), Namespace: namespace})
	if err != nil {
		return err
	}
	if err := d.manifest.Apply(ctx, objects, manifest.ApplyOptions{FieldManager: fieldManager}); err != nil {
		return err
	}
	config, err := cluster.RESTConfig(c)
	if err != nil {
		return err
	}
	pods, err := workload.New(config)
	if err != nil {
		return err
	}
	return pods.WaitDeployments(ctx, types.NamespacedName{Namespace: namespace, Name: deploy.Name})
}

// Uninstall implements engine.Installer. What is declared goes first, while
// somebody is there to carry it out.
func (e Engine) Uninstall(ctx context.Context, c cluster.Cluster) error {
	if err := e.uninstall(ctx, c); err != nil {
		return fmt.Errorf("uninstall the controller from %s: %w", c.Name(), err)
	}
	return nil
}

func (Engine) uninstall(ctx context.Context, c cluster.Cluster) error {
	d, err := dial(c)
	if err != nil {
		return err
	}
	// Also after an Install that refused: it has left everything as it was.
	if err := vacant(ctx, d.dynamic); err != nil {
		if errors.Is(err, errTaken) {
			return nil
		}
		return err
	}
	if err := d.withdraw(ctx, everything); err != nil {
		return err
	}
	objects, err := deploy.Objects(deploy.Options{Image: Image, Namespace: namespace})
	if err != nil {
		return err
	}
	return d.manifest.Delete(ctx, objects)
}

// Apply implements engine.Engine. It returns when the controller says of every
// declaration that it is programmed, and that nothing else is in force.
func (Engine) Apply(ctx context.Context, c cluster.Cluster, declarations string) error {
	if err := act(ctx, c, declarations, desk.apply); err != nil {
		return fmt.Errorf("apply in %s: %w", c.Name(), err)
	}
	return nil
}

// Cancel implements engine.Engine. It returns when nothing of the declarations is
// in force any more.
func (Engine) Cancel(ctx context.Context, c cluster.Cluster, declarations string) error {
	if err := act(ctx, c, declarations, desk.cancel); err != nil {
		return fmt.Errorf("cancel in %s: %w", c.Name(), err)
	}
	return nil
}

func act(ctx context.Context, c cluster.Cluster, declarations string, do func(desk, context.Context, wanted) error) error {
	if large := oversized(declarations); len(large) > 0 {
		return submit(ctx, c, large)
	}
	w, err := read(declarations)
	if err != nil {
		return err
	}
	d, err := dial(c)
	if err != nil {
		return err
	}
	return do(d, ctx, w)
}
