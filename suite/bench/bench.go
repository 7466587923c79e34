package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite"
	"github.com/meshfed/meshfed/suite/bench/internal/inventory"
	"github.com/meshfed/meshfed/suite/bench/internal/reach"
)

// Bench is a lab that is ready for scenarios, which it serves one at a time:
// they share the meshes.
type Bench struct {
	lab         cluster.Lab
	environment steps.Environment
	through     *reach.Reach
	meshes      map[string]*mesh
	versions    map[string]string
	// clean says that a session has ended and left nothing, and that none has begun
	// since.
	clean atomic.Bool
}

var _ suite.Bench = (*Bench)(nil)

// mesh is one cluster and what is known of it.
type mesh struct {
	cluster cluster.Cluster
	// borrowed says that it is somebody's; see cluster.Borrower.
	borrowed bool
	// concerned are the namespaces that the features are about, and reserved those
	// of them in which nobody else may federate anything; none means all.
	concerned, reserved []string
	pods                *workload.Client
	objects             *inventory.Reader
	applier             *manifest.Client
	// before is what the cluster held when nothing was federated.
	before inventory.Inventory
}

// New makes a bench of a lab that Deploy has prepared. What an earlier run has
// left behind (it may have been killed) is taken away first.
func New(ctx context.Context, lab cluster.Lab, e engine.Engine) (*Bench, error) {
	b := &Bench{lab: lab, meshes: map[string]*mesh{}, versions: map[string]string{}}
	for _, c := range lab.Clusters() {
		m, err := newMesh(c, lab)
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		b.meshes[c.Name()] = m
	}
	authority, err := authority(ctx, lab)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	through, err := reach.New(b.reachable(), authority.Authority)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	b.through = through
	b.environment = steps.Environment{Lab: lab, Engine: e, Meshes: through, Owners: newOwners(b.meshes, authority.Authority, through.OwnAuthorities()), Faults: &faults{meshes: b.meshes, reach: through, borrowed: cluster.Borrowed(lab)}, Leftovers: b.Leftovers, Snapshot: b.snapshot}
	b.environment.Explain = explain(lab)
	if err := b.settle(ctx); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	return b, nil
}

// undoLimit bounds how long an engine that was brought in vain may take to go.
const undoLimit = time.Minute

// settle brings the engine and looks at what is there. If it fails nothing that it
// has brought may stay: nobody else knows of it.
func (b *Bench) settle(ctx context.Context) error {
	err := b.install(ctx)
	if err == nil {
		err = b.look(ctx)
	}
	if err == nil {
		return nil
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	return errors.Join(err, b.Close(undo))
}

// Tell has f told how something long is going.
func (b *Bench) Tell(f func(text string)) { b.environment.Tell = f }

// LoadByJobs has load that leaves a mesh sent by a Job there, so that neither
// this machine nor its connection to the cluster has a part in it.
func (b *Bench) LoadByJobs() { b.through.LoadByJobs() }

func (b *Bench) reachable() map[string]reach.Mesh {
	meshes := map[string]reach.Mesh{}
	for name, m := range b.meshes {
		meshes[name] = reach.Mesh{Cluster: m.cluster, Pods: m.pods}
	}
	return meshes
}

func newMesh(c cluster.Cluster, lab cluster.Lab) (*mesh, error) {
	config, err := cluster.RESTConfig(c)
	if err != nil {
		return nil, err
	}
	pods, err := workload.New(config)
	if err != nil {
		return nil, err
	}
	objects, err := inventory.New(config, confidential(lab)...)
	if err != nil {
		return nil, err
	}
	applier, err := manifest.New(config)
	if err != nil {
		return nil, err
	}
	m := &mesh{cluster: c, borrowed: cluster.Borrowed(lab), concerned: concerned(lab), pods: pods, objects: objects, applier: applier}
	if m.borrowed {
		m.reserved = reservedNamespaces()
	}
	return m, nil
}

// look takes what every mesh holds before the first scenario, and its version.
func (b *Bench) look(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex
	for name, m := range b.meshes {
		all.Go(func() error {
			if err := b.reset(ctx, m); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			found, err := m.found(ctx)
			if err != nil {
				return fmt.Errorf("%s: version: %w", name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for component, version := range found {
				b.versions[name+"/"+component] = version
			}
			return nil
		})
	}
	return all.Wait()
}

// federated returns kinds of which neither a mesh nor Bookinfo has any.
func federated() []string {
	return []string{"gateways.networking.istio.io", "virtualservices.networking.istio.io", "serviceentries.networking.istio.io"}
}

// reset takes the mesh's inventory, after what a killed run has left was taken
// away: what its owners did by the harness, the rest by the engine.
func (b *Bench) reset(ctx context.Context, m *mesh) (err error) {
	if err := m.disown(ctx); err != nil {
		return err
	}
	if m.before, err = m.take(ctx); err != nil {
		return err
	}
	if len(leftovers(m.before.Within(m.reserved))) == 0 {
		return nil
	}
	// Nothing declared is nothing left: that is what Apply promises.
	if err := steps.NewWorld(b.environment).ApplyNothing(ctx, m.cluster.Name()); err != nil {
		return fmt.Errorf("take away what an earlier run has left: %w", err)
	}
	if m.before, err = m.take(ctx); err != nil {
		return err
	}
	left := leftovers(m.before.Within(m.reserved))
	if len(left) == 0 {
		return nil
	}
	remedy := "delete it, or use another lab"
	if m.borrowed {
		remedy = "if a run of another engine has left it, run that engine once more; if it is somebody's, use other clusters"
	}
	return fmt.Errorf("something is federated that engine %s does not know of: %s: %s", b.environment.Engine.Name(), strings.Join(left, "; "), remedy)
}

func leftovers(i inventory.Inventory) []string {
	var found []string
	for name := range i {
		kind, _, _ := strings.Cut(name, " ")
		if slices.Contains(federated(), kind) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// Facts implements suite.Bench.
func (b *Bench) Facts() suite.Facts {
	facts := suite.Facts{Provider: b.lab.Provider(), Topology: reports.Topology{Lab: b.lab.Name()}, Versions: b.versions}
	for _, c := range b.lab.Clusters() {
		facts.Topology.Clusters = append(facts.Topology.Clusters, c.Name())
	}
	return facts
}

// Begin implements suite.Bench.
func (b *Bench) Begin(ctx context.Context, id string) (suite.Session, error) {
	s := b.NewSession(id)
	return s, s.Start(ctx)
}

// healthLimit bounds how long an API server may take to say that it is well.
const healthLimit = 5 * time.Second

// Healthy implements suite.Bench: every API server says that it is ready.
func (b *Bench) Healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	var errs []error
	for _, c := range b.lab.Clusters() {
		_, err := b.meshes[c.Name()].pods.Kube().Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: API server: %w", c.Name(), err))
		}
	}
	return errors.Join(errs...)
}

// Leftovers names what a mesh holds that it did not hold when nothing was
// federated yet.
func (b *Bench) Leftovers(ctx context.Context, name string) ([]string, error) {
	m, known := b.meshes[name]
	if !known {
		return nil, fmt.Errorf("no mesh %q", name)
	}
	now, err := m.take(ctx)
	if err != nil {
		return nil, err
	}
	return now.Since(m.before), nil
}

// snapshot is what a mesh holds now, as far as the features are concerned.
func (b *Bench) snapshot(ctx context.Context, name string) (steps.Since, error) {
	m, known := b.meshes[name]
	if !known {
		return nil, fmt.Errorf("no mesh %q", name)
	}
	then, err := m.take(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) ([]string, error) {
		now, err := m.take(ctx)
		return now.Since(then), err
	}, nil
}

// Clean has the engine take away whatever a mesh holds that it did not hold when
// nothing was federated. It is for the time after an engine that leaves things
// behind; what the present one cannot remove is an error.
func (b *Bench) Clean(ctx context.Context) error {
	for _, c := range b.lab.Clusters() {
		left, err := b.Leftovers(ctx, c.Name())
		if err != nil {
			return fmt.Errorf("clean: %w", err)
		}
		if len(left) == 0 {
			continue
		}
		if err := steps.NewWorld(b.environment).ApplyNothing(ctx, c.Name()); err != nil {
			return fmt.Errorf("clean %s: %w", c.Name(), err)
		}
		if left, err = b.Leftovers(ctx, c.Name()); err == nil && len(left) > 0 {
			err = fmt.Errorf("still there: %s", strings.Join(left, "; "))
		}
		if err != nil {
			return fmt.Errorf("clean %s: %w", c.Name(), err)
		}
	}
	return nil
}
