package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/suite"
	"github.com/meshfed/meshfed/suite/bench"
)

// place is the lab of one run: found or made before the first scenario, and
// left behind as it was found.
type place struct {
	flags    runFlags
	provider cluster.Provider
	engine   engine.Engine
	errs     io.Writer
	// tell says how something long is going.
	tell func(text string)

	lab cluster.Lab
	// bench is the place once it is prepared.
	bench *bench.Bench
	// made says that the lab is this run's own.
	made bool
	hold *bench.Hold
}

// prepare is the set-up of a run.
func (p *place) prepare(ctx context.Context) (suite.Bench, error) {
	if err := p.find(ctx); err != nil {
		return nil, err
	}
	hold, err := bench.Take(p.lab)
	if err != nil {
		return nil, err
	}
	p.hold = hold
	if err := bench.Deploy(ctx, p.lab); err != nil {
		return nil, err
	}
	if p.bench, err = bench.New(ctx, p.lab, p.engine); err != nil {
		return nil, err
	}
	p.bench.Tell(p.tell)
	if p.flags.loadFrom == fromJob {
		p.bench.LoadByJobs()
	}
	return p.bench, nil
}

// open takes the lab if it is up, and refuses it if it has not as many meshes as
// are asked for. That is the first thing to do: a lab that cannot be opened for
// another reason is for prepare to meet again, which has a report to say it in.
func (p *place) open(ctx context.Context) error {
	lab, err := p.provider.Open(ctx, p.name())
	if err != nil {
		return nil //nolint:nilerr // See above.
	}
	p.lab = lab
	n := len(lab.Clusters())
	if !p.flags.counted || n == p.flags.clusters {
		return nil
	}
	err = usage.Errorf("--clusters %d: lab %s is up and has %d: leave --clusters out, or name another lab", p.flags.clusters, lab.Name(), n)
	return errors.Join(err, p.leave(ctx))
}

func (p *place) name() string {
	if p.flags.lab == "" {
		// A second run beside this one must not meet it.
		return fmt.Sprintf("run-%d", os.Getpid())
	}
	return p.flags.lab
}

func (p *place) find(ctx context.Context) (err error) {
	if p.lab != nil {
		return nil
	}
	p.lab, err = p.provider.Open(ctx, p.name())
	if !errors.Is(err, cluster.ErrNoLab) {
		return err
	}
	p.lab, err = p.provider.Create(ctx, p.name(), cluster.TopologyOf(p.flags.clusters))
	p.made = err == nil
	return err
}

const (
	// logsLimit bounds the export of logs.
	logsLimit = 30 * time.Second
	// detachLimit bounds a word to the process that keeps a lab.
	detachLimit = 30 * time.Second
	// undoLimit bounds each thing that is taken away from clusters that stay: a
	// namespace is gone when its last pod has ended.
	undoLimit = 3 * time.Minute
)

// leave removes the lab if the run made it and nobody wants to keep it. How long
// the end of a lab may take is for its provider to say.
func (p *place) leave(ctx context.Context) (err error) {
	if p.hold != nil {
		defer func() { err = errors.Join(err, p.hold.Release()) }()
	}
	switch {
	case p.lab == nil:
		return nil
	case cluster.Borrowed(p.lab):
		return p.giveBack(ctx)
	case p.made && !p.flags.keep:
		return p.remove(ctx)
	}
	err = p.uninstall(ctx)
	if !p.made {
		return err
	}
	return errors.Join(err, p.retain(ctx))
}

// retain leaves a lab up that the run has made.
func (p *place) retain(ctx context.Context) error {
	// A provider whose labs end with the process has to be told.
	if lab, can := p.lab.(interface{ Detach(context.Context) error }); can {
		if err := within(ctx, detachLimit, "the lab is removed", lab.Detach); err != nil {
			return errors.Join(fmt.Errorf("keep lab %s: %w", p.lab.Name(), err), p.remove(ctx))
		}
	}
	fmt.Fprintf(p.errs, "lab %[1]s is kept: conformance run --provider %[2]s --lab %[1]s; %[3]s\n", p.lab.Name(), p.lab.Provider(), p.remover())
	return nil
}

func (p *place) remove(ctx context.Context) error {
	if err := p.lab.Delete(ctx); err != nil {
		return fmt.Errorf("%w; what is left goes with: %s", err, p.remover())
	}
	return nil
}

// remover is the command that removes the lab.
func (p *place) remover() string {
	if lab, own := p.lab.(interface{ Remove() string }); own {
		return lab.Remove()
	}
	return "conformance lab down --lab " + p.lab.Name()
}

// uninstall takes the engine out of clusters that stay.
func (p *place) uninstall(ctx context.Context) error {
	if p.bench == nil {
		return nil
	}
	remedy := fmt.Sprintf("the next run of engine %s on lab %s takes away what is left", p.engine.Name(), p.lab.Name())
	return within(ctx, undoLimit, remedy, p.bench.Close)
}

// giveBack leaves clusters that are somebody's as they were found.
func (p *place) giveBack(ctx context.Context) error {
	if p.hold == nil {
		// Another run uses them: what is deployed there is its own.
		return p.lab.Delete(ctx)
	}
	err := p.uninstall(ctx)
	if p.flags.keep {
		fmt.Fprintf(p.errs, "what was deployed on %s is kept: the next run without --keep removes it\n", p.lab.Name())
		return errors.Join(err, p.lab.Delete(ctx))
	}
	undeploy := func(ctx context.Context) error { return bench.Undeploy(ctx, p.lab) }
	err = errors.Join(err, within(ctx, undoLimit, "the next run without --keep on these clusters removes what is left", undeploy))
	return errors.Join(err, p.lab.Delete(ctx))
}

// within gives something up after a limit, and says with every error what
// mends it.
func within(ctx context.Context, limit time.Duration, remedy string, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %s", limit))
	defer cancel()
	err := do(ctx)
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return fmt.Errorf("%w; %s", err, remedy)
}

// logs exports what the clusters' components said. It is an aid: that it
// fails must not change the verdict.
func (p *place) logs(dir string) {
	if p.lab == nil {
		return
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), logsLimit, fmt.Errorf("not exported within %s", logsLimit))
	defer cancel()
	if err := p.lab.ExportLogs(ctx, dir); err != nil {
		fmt.Fprintln(p.errs, "conformance: logs:", err)
	}
}
