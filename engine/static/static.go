// Package static is the engine that does nothing but what the seed does by hand:
// it knows the seed's steps, and for declarations that ask for one of them it
// applies the manifests that stand in fixtures/seed. It is a second opinion on
// the project's own engine and on the features, so it must share no code with
// federator, not even the reading of declarations.
//
// What is no step of the seed it refuses, before it touches anything.
package static

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/engine"
)

// Name is the engine's word on the command line.
const Name = "static"

// fieldManager owns what is applied, and its name marks it.
const fieldManager = "meshfed-static"

// Engine applies the seed's manifests.
type Engine struct {
	version string
	steps   repertoire

	mu sync.Mutex
	// clients by kubeconfig: each learns the kinds of its cluster once.
	clients map[string]*manifest.Client
}

var _ engine.Engine = (*Engine)(nil)

// New makes the engine; version is for reports. An error is one of the steps
// themselves.
func New(version string) (*Engine, error) {
	steps, err := load()
	if err != nil {
		return nil, fmt.Errorf("engine %s: %w", Name, err)
	}
	return &Engine{version: version, steps: steps, clients: map[string]*manifest.Client{}}, nil
}

// Name implements engine.Engine.
func (*Engine) Name() string { return Name }

// Version implements engine.Engine.
func (e *Engine) Version() string { return e.version }

// Capabilities implements engine.Engine: the seed makes use of all there are.
// That it does so in few combinations only is what ErrUnsupported says.
func (*Engine) Capabilities() []engine.Capability { return engine.Capabilities() }

// Apply implements engine.Engine. Objects are applied one by one in the order of
// the step, which has the policy before the listener that it guards.
func (e *Engine) Apply(ctx context.Context, c cluster.Cluster, declarations string) error {
	objects, err := e.steps.wanted(declarations)
	if err != nil {
		return fmt.Errorf("apply in %s: %w", c.Name(), err)
	}
	client, err := e.client(c)
	if err != nil {
		return fmt.Errorf("apply in %s: %w", c.Name(), err)
	}
	for _, o := range objects {
		one := []*unstructured.Unstructured{o}
		if err := client.Apply(ctx, one, manifest.ApplyOptions{FieldManager: fieldManager}); err != nil {
			return fmt.Errorf("apply in %s: %w", c.Name(), err)
		}
	}
	if err := e.prune(ctx, client, objects); err != nil {
		return fmt.Errorf("apply in %s: %w", c.Name(), err)
	}
	return nil
}

// Cancel implements engine.Engine. Since the engine holds one step in a cluster
// at a time, whatever it has made there is what the declarations asked for.
func (e *Engine) Cancel(ctx context.Context, c cluster.Cluster, _ string) error {
	client, err := e.client(c)
	if err == nil {
		err = e.prune(ctx, client, nil)
	}
	if err != nil {
		return fmt.Errorf("cancel in %s: %w", c.Name(), err)
	}
	return nil
}

func (e *Engine) client(c cluster.Cluster) (*manifest.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if known := e.clients[c.Kubeconfig()]; known != nil {
		return known, nil
	}
	config, err := cluster.RESTConfig(c)
	if err != nil {
		return nil, err
	}
	made, err := manifest.New(config)
	if err != nil {
		return nil, err
	}
	e.clients[c.Kubeconfig()] = made
	return made, nil
}
