package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/meshfed/meshfed/cluster"
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

func (p *place) find(ctx context.Context) (err error) {
	name := p.flags.lab
	if name == "" {
		// A second run beside this one must not meet it.
		name = fmt.Sprintf("run-%d", os.Getpid())
	}
	p.lab, err = p.provider.Open(ctx, name)
	if !errors.Is(err, cluster.ErrNoLab) {
		return err
	}
	p.lab, err = p.provider.Create(ctx, name, cluster.TopologyOf(p.flags.clusters))
	p.made = err == nil
	return err
}

// deleteLimit bounds the removal of a lab.
const deleteLimit = 30 * time.Second

// leave removes the lab if the run made it and nobody wants to keep it.
func (p *place) leave(ctx context.Context) (err error) {
	if p.hold != nil {
		defer func() { err = errors.Join(err, p.hold.Release()) }()
	}
	ctx, cancel := context.WithTimeout(ctx, deleteLimit)
	defer cancel()
	if p.lab != nil && cluster.Borrowed(p.lab) {
		return p.giveBack(ctx)
	}
	if p.bench != nil && (!p.made || p.flags.keep) {
		if err := p.bench.Close(ctx); err != nil {
			return err
		}
	}
	if !p.made {
		return nil
	}
	if !p.flags.keep {
		return p.lab.Delete(ctx)
	}
	// A provider whose labs end with the process has to be told.
	if lab, can := p.lab.(interface{ Detach(context.Context) error }); can {
		if err := lab.Detach(ctx); err != nil {
			return errors.Join(fmt.Errorf("keep lab %s: %w", p.lab.Name(), err), p.lab.Delete(ctx))
		}
	}
	fmt.Fprintf(p.errs, "lab %[1]s is kept: conformance run --provider %[2]s --lab %[1]s; ", p.lab.Name(), p.lab.Provider())
	if remover, own := p.lab.(interface{ Remove() string }); own {
		fmt.Fprintln(p.errs, remover.Remove())
		return nil
	}
	fmt.Fprintf(p.errs, "conformance lab down --lab %s\n", p.lab.Name())
	return nil
}

// giveBack leaves clusters that are somebody's as they were found.
func (p *place) giveBack(ctx context.Context) error {
	if p.hold == nil {
		// Another run uses them: what is deployed there is its own.
		return p.lab.Delete(ctx)
	}
	var err error
	if p.bench != nil {
		err = p.bench.Close(ctx)
	}
	if p.flags.keep {
		fmt.Fprintf(p.errs, "what was deployed on %s is kept: the next run without --keep removes it\n", p.lab.Name())
		return errors.Join(err, p.lab.Delete(ctx))
	}
	return errors.Join(err, bench.Undeploy(ctx, p.lab), p.lab.Delete(ctx))
}

// logs exports what the clusters' components said. It is an aid: that it
// fails must not change the verdict.
func (p *place) logs(dir string) {
	if p.lab == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), deleteLimit)
	defer cancel()
	if err := p.lab.ExportLogs(ctx, dir); err != nil {
		fmt.Fprintln(p.errs, "conformance: logs:", err)
	}
}
