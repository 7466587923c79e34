package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cucumber/godog"
)

// Owners is what the owner of a mesh does herself, without an engine: with her
// workloads and her objects. Whatever was done, Restore undoes.
type Owners interface {
	// Deploy brings up a version of a service that the mesh does not have,
	// and returns when it is ready.
	Deploy(ctx context.Context, mesh, service, version string) error
	// Retire takes a version of a service away, and returns when it is gone.
	Retire(ctx context.Context, mesh, service, version string) error
	// Apply applies objects of hers.
	Apply(ctx context.Context, mesh, manifests string) error
	// Renew replaces the certificates of both private gateways by new ones of
	// the same authority.
	Renew(ctx context.Context, mesh string) (Serials, error)
	// Expire replaces the certificate of the private ingress gateway by one that
	// is not valid any more.
	Expire(ctx context.Context, mesh string) (Serials, error)
	// Trust changes whom the private ingress gateway of a mesh trusts, in its
	// own secret or in another one.
	Trust(ctx context.Context, mesh string, t Trust) error
	// Entrances puts what a mesh needs to let each of these peers in by an entrance
	// of its own, for its own authority, and what these need to come in.
	Entrances(ctx context.Context, mesh string, peers []string) error
	// Changed names objects of hers that are no longer as she applied them.
	Changed(ctx context.Context, mesh string) ([]string, error)
	// Restore brings the mesh back to what it was before all of this.
	Restore(ctx context.Context, mesh string) error
}

func (w *World) ownerSteps(sc *godog.ScenarioContext) {
	sc.Step(`^the owner of (c\d) deploys (\w+) (v\d)$`, func(ctx context.Context, mesh, service, version string) error {
		return w.own(mesh, w.Owners.Deploy(ctx, mesh, service, version))
	})
	sc.Step(`^the owner of (c\d) retires (\w+) (v\d)$`, func(ctx context.Context, mesh, service, version string) error {
		return w.own(mesh, w.Owners.Retire(ctx, mesh, service, version))
	})
	sc.Step(`^the owner of (c\d) has in the mesh:$`, func(ctx context.Context, mesh string, manifests *godog.DocString) error {
		if err := w.own(mesh, w.Owners.Apply(ctx, mesh, manifests.Content)); err != nil {
			return err
		}
		return w.noteTheirs(ctx, mesh)
	})
	sc.Step(`^the owner of (c\d) takes all of hers back$`, w.takeAllBack)
	sc.Step(`^the owner of (c\d) has an entrance for (c\d) alone and (?:one for (c\d) alone|none for c\d)$`, w.openEntrances)
	sc.Then(`^only what the owners have is in (c\d) and (c\d)$`, w.onlyTheirs)
	sc.Then(`^what the owner of (c\d) has in the mesh is untouched$`, w.untouched)
}

// openEntrances holds from the next declarations on: those of both sides name
// the entrances.
func (w *World) openEntrances(ctx context.Context, mesh, first, second string) error {
	w.entrances[mesh] = slices.DeleteFunc([]string{first, second}, func(peer string) bool { return peer == "" })
	err := w.Owners.Entrances(ctx, mesh, w.entrances[mesh])
	for _, peer := range w.entrances[mesh] {
		if _, absent := w.Lab.Cluster(peer); absent == nil {
			err = w.own(peer, err)
		}
	}
	if err := w.own(mesh, err); err != nil || w.declared[mesh] != "" {
		return err
	}
	for name := range w.owned {
		if err := w.noteTheirs(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// noteTheirs remembers what a mesh holds while only its owner has applied
// something.
func (w *World) noteTheirs(ctx context.Context, mesh string) error {
	since, err := w.Snapshot(ctx, mesh)
	if err != nil {
		return inconclusive(err)
	}
	w.theirs[mesh] = since
	return nil
}

// own notes that a mesh has to be restored, also after half a change.
func (w *World) own(mesh string, err error) error {
	w.owned[mesh] = true
	if err != nil {
		return inconclusive(err)
	}
	return nil
}

func (w *World) untouched(ctx context.Context, mesh string) error {
	changed, err := w.Owners.Changed(ctx, mesh)
	if err != nil {
		return inconclusive(err)
	}
	if len(changed) > 0 {
		return fmt.Errorf("in %s: %q", mesh, changed)
	}
	return nil
}

// onlyTheirs holds if a mesh has, beside what it had before the run, the very
// objects that it had when its owner had applied hers.
func (w *World) onlyTheirs(ctx context.Context, first, second string) error {
	for _, mesh := range []string{first, second} {
		since := w.theirs[mesh]
		if since == nil {
			return fmt.Errorf("the owner of %s has applied nothing: that nothing else is left is another sentence", mesh)
		}
		changed, err := since(ctx)
		if err != nil {
			return inconclusive(err)
		}
		if len(changed) > 0 {
			return fmt.Errorf("in %s: %s", mesh, strings.Join(changed, "; "))
		}
	}
	return nil
}

// takeAllBack undoes what one owner did, before the scenario is over.
func (w *World) takeAllBack(ctx context.Context, mesh string) error {
	if !w.owned[mesh] {
		return fmt.Errorf("the owner of %s has nothing to take back", mesh)
	}
	if err := w.restoreOne(ctx, mesh); err != nil {
		return inconclusive(err)
	}
	return nil
}

// restore undoes what the owners did.
func (w *World) restore(ctx context.Context) error {
	var errs []error
	for _, mesh := range slices.Sorted(maps.Keys(w.owned)) {
		errs = append(errs, w.restoreOne(ctx, mesh))
	}
	return errors.Join(errs...)
}

func (w *World) restoreOne(ctx context.Context, mesh string) error {
	if err := w.Owners.Restore(ctx, mesh); err != nil {
		return fmt.Errorf("restore %s: %w", mesh, err)
	}
	delete(w.owned, mesh)
	return nil
}
