package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/steps/internal/pairing"
)

// Environment is what all scenarios of a run share. Its parts are safe for the
// use by one scenario at a time.
type Environment struct {
	Lab    cluster.Lab
	Engine engine.Engine
	// Owners do what needs no engine.
	Owners Owners
	// Faults break what the meshes run on.
	Faults Faults
	// Meshes sends requests and sees them arrive.
	Meshes Meshes
	// Leftovers names what a mesh holds of the kinds an engine writes that
	// was not there before the run.
	Leftovers func(ctx context.Context, mesh string) ([]string, error)
	// Snapshot remembers what a mesh holds of those kinds now.
	Snapshot func(ctx context.Context, mesh string) (Since, error)
	// Explain says where a request would end.
	Explain Explainer
	// Tell says to a person how something long is going. Nil is silent.
	Tell func(text string)
}

// Since names what a mesh holds otherwise than it did: objects that are new,
// changed, made again, or gone.
type Since func(ctx context.Context) ([]string, error)

// World is the state of one scenario. It must not be used by two.
type World struct {
	Environment
	// declared is what each mesh's owner has applied last, pairing included.
	declared map[string]string
	// cancelled is what each owner has cancelled last.
	cancelled map[string]string
	// expected are server identities that owners believe in, by peer.
	expected map[string]string
	// beliefs are what else owners believe of a peer that is not so, by peer.
	beliefs map[string]*belief
	// control is the request that was answered last; see refuse.
	control *control
	// seen is the request that "it" means in a sentence about arrivals.
	seen *asked
	// denied is the request that was refused last.
	denied *denied
	// owned are the meshes in which the owner did something herself.
	owned map[string]bool
	// entrances are the peers that come in by one of their own, by mesh.
	entrances map[string][]string
	// theirs is what has changed in each mesh since its owner had applied objects
	// of her own.
	theirs map[string]Since
	// steady is what is asked all the time.
	steady *steady
	// declaredAt is when the API server had accepted the last declaration, and
	// declaredIn how long the engine took for it.
	declaredAt time.Time
	declaredIn time.Duration
	// record is everything that was asked, for the evidence.
	record record
	// probed are the cells of the boundary that was probed last.
	probed []cell
	// serials are those of the certificates that owners have renewed, by mesh.
	serials map[string]Serials
	// hostile is what an owner was last talked into.
	hostile *hostile
	// loads are the kinds of requests that load was made of, by name.
	loads map[string]loaded
	// costs are what a gateway used while one kind of requests arrived, by name.
	costs map[string]meter
	// crowds are connections that are held open.
	crowds []*crowd
	// way is between two meshes and can be broken.
	way Way
	// broken is what was broken last, and who watched.
	broken *broken
	// figures are what was measured; see Attach.
	figures figures
}

// NewWorld is the world of a scenario that begins.
func NewWorld(e Environment) *World {
	return &World{
		Environment: e,
		declared:    map[string]string{},
		cancelled:   map[string]string{},
		expected:    map[string]string{},
		beliefs:     map[string]*belief{},
		owned:       map[string]bool{},
		entrances:   map[string][]string{},
		theirs:      map[string]Since{},
		serials:     map[string]Serials{},
		loads:       map[string]loaded{},
		costs:       map[string]meter{},
	}
}

// Register adds all step definitions for this world.
func (w *World) Register(sc *godog.ScenarioContext) {
	w.meshSteps(sc)
	w.declarationSteps(sc)
	w.edgeSteps(sc)
	w.workloadSteps(sc)
	w.pageSteps(sc)
	w.isolationSteps(sc)
	w.ownerSteps(sc)
	w.splitSteps(sc)
	w.steadySteps(sc)
	w.accessSteps(sc)
	w.boundarySteps(sc)
	w.attackSteps(sc)
	w.revocationSteps(sc)
	w.loadSteps(sc)
	w.loadRampSteps(sc)
	w.loadPhaseSteps(sc)
	w.loadCostSteps(sc)
	w.loadHopSteps(sc)
	w.loadPlantedSteps(sc)
	w.hostileSteps(sc)
	w.renewalSteps(sc)
	w.diagnosisSteps(sc)
	w.explainSteps(sc)
	w.crowdSteps(sc)
	w.faultSteps(sc)
	w.waySteps(sc)
}

// Record is everything the scenario asked and what came of it, a line each;
// empty if it asked nothing.
func (w *World) Record() string {
	if len(w.record) == 0 {
		return ""
	}
	return strings.Join(w.record, "\n") + "\n"
}

// Declared are the declarations in force, by mesh.
func (w *World) Declared() map[string]string { return maps.Clone(w.declared) }

// CancelAll cancels whatever the scenario has applied, consumers first: while
// one side is still consuming, the other must not withdraw yet. Then it undoes
// what the owners did themselves.
func (w *World) CancelAll(ctx context.Context) error {
	w.disperse()
	mended := w.mend(ctx)
	w.endWatch()
	if w.steady != nil {
		_, _ = w.steady.stop()
		w.steady = nil
	}
	meshes := slices.Sorted(maps.Keys(w.declared))
	slices.SortStableFunc(meshes, func(a, b string) int { return cmp.Compare(w.order(a), w.order(b)) })
	errs := []error{mended, w.takeBack(ctx)}
	for _, mesh := range meshes {
		errs = append(errs, w.cancel(ctx, mesh))
	}
	return errors.Join(append(errs, w.restore(ctx), w.closeWay(ctx))...)
}

// order of a mesh among those that cancel.
func (w *World) order(mesh string) int {
	if strings.Contains(w.declared[mesh], "kind: Consumption") {
		return 0
	}
	return 1
}

func (w *World) apply(ctx context.Context, mesh, declarations string) error {
	c, err := w.Lab.Cluster(mesh)
	if err != nil {
		return err
	}
	peers, err := w.peers(ctx, mesh)
	if err != nil {
		return err
	}
	all := pairing.Declarations(mesh, peers) + "---\n" + declarations
	// Noted before the attempt: half an apply has to be cleaned up too.
	w.declared[mesh] = all
	asked := time.Now()
	err = supported(w.Engine.Apply(ctx, c, all))
	w.accepted(asked)
	return err
}

// accepted notes that the API server has accepted what an engine was asked for.
func (w *World) accepted(asked time.Time) {
	w.declaredAt = time.Now()
	w.declaredIn = w.declaredAt.Sub(asked)
}

// supported marks the word of an engine that it does not do what is declared.
func supported(err error) error {
	if errors.Is(err, engine.ErrUnsupported) {
		return fmt.Errorf("%w: %w", reports.ErrNotSupported, err)
	}
	return err
}

// ApplyNothing declares that nothing is federated in a mesh.
func (w *World) ApplyNothing(ctx context.Context, mesh string) error {
	err := w.apply(ctx, mesh, "")
	delete(w.declared, mesh)
	return err
}

func (w *World) cancel(ctx context.Context, mesh string) error {
	c, err := w.Lab.Cluster(mesh)
	if err != nil {
		return err
	}
	declarations, applied := w.declared[mesh]
	if !applied {
		return fmt.Errorf("%s has applied nothing that could be cancelled", mesh)
	}
	asked := time.Now()
	if err := w.Engine.Cancel(ctx, c, declarations); err != nil {
		return err
	}
	w.accepted(asked)
	w.cancelled[mesh] = declarations
	delete(w.declared, mesh)
	return nil
}

// cancelAgain cancels what is cancelled already.
func (w *World) cancelAgain(ctx context.Context, mesh string) error {
	declarations, was := w.cancelled[mesh]
	if !was {
		return fmt.Errorf("%s has cancelled nothing yet", mesh)
	}
	c, err := w.Lab.Cluster(mesh)
	if err != nil {
		return err
	}
	return w.Engine.Cancel(ctx, c, declarations)
}

// seedMeshes are those that have an identity in every lab. One that is no
// cluster of the lab can call, with its certificate, and cannot be called.
func seedMeshes() []string { return []string{"c1", "c2", "c3"} }

// peers are the other meshes as the owner of one sees them.
func (w *World) peers(ctx context.Context, mesh string) ([]pairing.Peer, error) {
	var peers []pairing.Peer
	for _, c := range w.Lab.Clusters() {
		if c.Name() == mesh {
			continue
		}
		host, port, err := w.Meshes.GatewayAddress(ctx, c.Name())
		if err != nil {
			return nil, err
		}
		p := pairing.Peer{
			Name: c.Name(), Host: host, Port: port, ServerIdentity: w.expected[c.Name()],
			Alone: slices.Contains(w.entrances[mesh], c.Name()), KnowsAlone: slices.Contains(w.entrances[c.Name()], mesh),
		}
		if b := w.beliefs[c.Name()]; b != nil {
			p.Host, p.Port, p.SNI = cmp.Or(b.Host, p.Host), cmp.Or(b.Port, p.Port), b.SNI
		}
		peers = append(peers, p)
	}
	for _, name := range seedMeshes() {
		if _, err := w.Lab.Cluster(name); err != nil {
			peers = append(peers, pairing.Peer{Name: name, Alone: slices.Contains(w.entrances[mesh], name)})
		}
	}
	return peers, nil
}
