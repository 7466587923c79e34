package suite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/meshfed/meshfed/reports"
)

// Suite is one run, ready to start.
type Suite struct {
	// Features are the feature files, at the root of the file system.
	Features  fs.FS
	Selection Selection
	Capabilities
	Implementation reports.Implementation
	// Version of the harness.
	Version string
	// Prepare makes the bench. An error is the set-up's failure; the report
	// is written all the same.
	Prepare func(ctx context.Context) (Bench, error)
	// Out is the folder below which the run makes its own.
	Out string
	// ID names the run and its folder. It must be unique below Out.
	ID string
	// Seed shuffles the order of the scenarios, always in the same way; zero
	// leaves them in the order of the features.
	Seed int64
	// Progress is told what happens. Nil is silent.
	Progress *Progress
	// Timeout of one scenario; zero means 60 s.
	Timeout time.Duration
}

// Run selects, prepares, plays and reports. The report is complete whenever
// the error is nil or the folder could be made: verdicts that fell are never
// lost. An error that is ErrUsage means that nothing was started.
func (s Suite) Run(ctx context.Context) (reports.ConformanceReport, error) {
	runnable, unsupported, err := s.plan()
	if err != nil {
		return reports.ConformanceReport{}, err
	}
	folder, err := reports.CreateFolder(s.Out, s.ID)
	if err != nil {
		return reports.ConformanceReport{}, err
	}
	run := s.header(len(runnable) + len(unsupported))
	bench, setupErr := s.Prepare(ctx)
	if setupErr == nil {
		facts := bench.Facts()
		run.Provider, run.Topology, run.Versions = facts.Provider, facts.Topology, facts.Versions
	}
	journal, err := reports.CreateJournal(folder.Journal(), run)
	if err != nil {
		return reports.ConformanceReport{}, err
	}
	var end reports.End
	if setupErr != nil {
		end.SetupError = setupErr.Error()
	} else {
		r := &round{Suite: s, folder: folder, journal: journal, bench: bench}
		err = r.play(ctx, runnable, unsupported)
	}
	end.Finished, end.Interrupted = time.Now().UTC(), ctx.Err() != nil
	return s.conclude(folder, journal, end, err)
}

func (s Suite) plan() ([]Scenario, []reports.Scenario, error) {
	selected, err := Select(s.Features, s.Selection)
	if err != nil {
		return nil, nil, err
	}
	if err := s.validate(); err != nil {
		return nil, nil, err
	}
	runnable, unsupported, err := s.split(selected)
	if s.Seed != 0 {
		order := rand.New(rand.NewPCG(uint64(s.Seed), 0))
		order.Shuffle(len(runnable), func(i, j int) { runnable[i], runnable[j] = runnable[j], runnable[i] })
	}
	return runnable, unsupported, err
}

func (s Suite) header(scenarios int) reports.Run {
	return reports.Run{
		ID: s.ID, Implementation: s.Implementation, SuiteVersion: s.Version, Capabilities: s.Declared,
		Environment: reports.Environment{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()},
		Selection:   reports.Selection{Tags: s.Selection.Tags, Paths: s.Selection.Paths, Scenarios: scenarios},
		Seed:        s.Seed, Started: time.Now().UTC(),
	}
}

// conclude writes the report out of the journal, not out of memory: so the
// way back from a crash is the way every run takes.
func (s Suite) conclude(folder reports.Folder, journal *reports.Journal, end reports.End, played error) (reports.ConformanceReport, error) {
	err := errors.Join(played, journal.Close(end))
	report, rebuilt := reports.Rebuild(folder.Journal())
	if rebuilt != nil {
		return report, errors.Join(err, rebuilt)
	}
	return report, errors.Join(err, folder.Write(report))
}

// round is the part of a run in which verdicts fall.
type round struct {
	Suite
	folder  reports.Folder
	journal *reports.Journal
	bench   Bench
	done    int
	total   int
}

func (r *round) play(ctx context.Context, runnable []Scenario, unsupported []reports.Scenario) error {
	r.total = len(runnable) + len(unsupported)
	for _, entry := range unsupported {
		if err := r.record(entry); err != nil {
			return err
		}
	}
	judge := Judge{Bench: r.bench, Timeout: r.Timeout, EvidenceDir: r.folder.Evidence, OnStep: r.Progress.step}
	for i, s := range runnable {
		if ctx.Err() != nil {
			return nil
		}
		r.Progress.start(r.done+1, r.total, s.ID)
		entry, dead := judge.Scenario(ctx, s)
		if err := r.record(entry); err != nil {
			return err
		}
		if dead != nil {
			return r.giveUp(runnable[i+1:], dead)
		}
	}
	return nil
}

// giveUp records the rest as inconclusive, with the reason each of them would
// otherwise have found for itself only after a time-out.
func (r *round) giveUp(rest []Scenario, why error) error {
	for _, s := range rest {
		entry := describe(s)
		entry.Verdict, entry.Reason = reports.Inconclusive, fmt.Sprintf("not run: %v", why)
		entry.Faults = []reports.Fault{{Kind: reports.FaultNotRun, Text: entry.Reason}}
		if err := r.record(entry); err != nil {
			return err
		}
	}
	return nil
}

func (r *round) record(entry reports.Scenario) error {
	if err := r.journal.Verdict(entry); err != nil {
		return err
	}
	r.done++
	r.Progress.verdict(r.done, r.total, entry)
	return nil
}
