package suite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/publish"
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
	// Repeat is how often each scenario is played; 0 and 1 mean once. One
	// that both passes and does not is flaky, never green.
	Repeat int
	// For plays the scenarios again and again until so much time has passed,
	// each for its share of it and at least once. Zero is not at all.
	For time.Duration
	// Resume goes on with the run ID, which was killed or interrupted:
	// verdicts that fell stand, what was not decided is played again.
	Resume bool
	// Progress is told what happens. Nil is silent.
	Progress *Progress
	// Timeout of one scenario; zero means 60 s.
	Timeout time.Duration
}

// Run selects, prepares, plays and reports. The report is complete whenever
// the error is nil or the folder could be made: verdicts that fell are never
// lost. An error that is ErrUsage means that nothing was started.
func (s Suite) Run(ctx context.Context) (reports.ConformanceReport, error) {
	r, err := s.open()
	if err != nil {
		return reports.ConformanceReport{}, err
	}
	bench, setupErr := s.Prepare(ctx)
	if setupErr == nil {
		r.bench = bench
		setupErr = r.place(bench.Facts())
	}
	if err := r.begin(); err != nil {
		return reports.ConformanceReport{}, err
	}
	var end reports.End
	if setupErr != nil {
		end.SetupError = setupErr.Error()
	} else {
		err = r.play(ctx)
	}
	end.Finished, end.Interrupted = time.Now().UTC(), ctx.Err() != nil
	return s.conclude(r.folder, r.journal, end, err)
}

// open plans the run and makes its folder, or opens that of the run to resume.
func (s Suite) open() (*round, error) {
	runnable, unsupported, err := s.plan()
	if err != nil {
		return nil, err
	}
	run, err := s.header(len(runnable) + len(unsupported))
	if err != nil {
		return nil, err
	}
	r := &round{Suite: s, run: run, runnable: runnable, unsupported: unsupported, total: run.Selection.Scenarios}
	if !s.Resume {
		r.folder, err = reports.CreateFolder(s.Out, s.ID)
		return r, err
	}
	if r.folder, err = reports.OpenFolder(s.Out, s.ID); err != nil {
		return nil, fmt.Errorf("%w: resume: %w", ErrUsage, err)
	}
	journal, before, err := s.resume(r.folder, run)
	if err != nil {
		return nil, err
	}
	r.journal, r.run = journal, before.Run
	r.runnable, r.unsupported = remaining(runnable, unsupported, before.Scenarios)
	r.done = r.total - len(r.runnable) - len(r.unsupported)
	return r, nil
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

func (s Suite) header(scenarios int) (reports.Run, error) {
	digest, err := featuresDigest(s.Features)
	return reports.Run{
		ID: s.ID, Implementation: s.Implementation, SuiteVersion: s.Version, FeaturesDigest: digest,
		Capabilities: s.Declared, Undeclared: s.undeclared(), Environment: machine(),
		Selection: reports.Selection{Tags: s.Selection.Tags, Paths: s.Selection.Paths, Scenarios: scenarios},
		Timeouts:  reports.Timeouts{Scenario: cmp.Or(s.Timeout, defaultTimeout).Seconds()},
		Repeat:    s.Repeat, Seed: s.Seed, Started: time.Now().UTC(),
	}, err
}

// conclude writes the report out of the journal, not out of memory: so the
// way back from a crash is the way every run takes.
func (s Suite) conclude(folder reports.Folder, journal *reports.Journal, end reports.End, played error) (reports.ConformanceReport, error) {
	err := errors.Join(played, journal.Close(end))
	report, rebuilt := reports.Rebuild(folder.Journal())
	if rebuilt != nil {
		return report, errors.Join(err, rebuilt)
	}
	return report, errors.Join(err, publish.Write(folder, report))
}

// round is the part of a run in which verdicts fall.
type round struct {
	Suite
	run         reports.Run
	runnable    []Scenario
	unsupported []reports.Scenario
	folder      reports.Folder
	journal     *reports.Journal
	bench       Bench
	done        int
	total       int
}

// place notes where the scenarios are played; a run that goes on has to be
// where it was.
func (r *round) place(facts Facts) error {
	if r.journal != nil {
		return samePlace(facts, r.run)
	}
	r.run.Provider, r.run.Topology, r.run.Versions = facts.Provider, facts.Topology, facts.Versions
	return nil
}

// begin starts the journal, unless it goes on with an earlier one.
func (r *round) begin() (err error) {
	if r.journal == nil {
		r.journal, err = reports.CreateJournal(r.folder.Journal(), r.run)
	}
	return err
}

func (r *round) play(ctx context.Context) error {
	for _, entry := range r.unsupported {
		if err := r.record(entry); err != nil {
			return err
		}
	}
	judge := Judge{Bench: r.bench, Timeout: r.Timeout, EvidenceDir: r.folder.Evidence, OnStep: r.Progress.step}
	for i, s := range r.runnable {
		if ctx.Err() != nil {
			return nil
		}
		r.Progress.start(r.done+1, r.total, s.ID)
		entry, dead := judge.repeated(ctx, s, r.repetition())
		if err := r.record(entry); err != nil {
			return err
		}
		if dead != nil {
			return r.giveUp(r.runnable[i+1:], dead)
		}
	}
	return nil
}

func (r *round) repetition() repetition {
	again := repetition{times: r.Repeat}
	if r.For > 0 {
		again.until = time.Now().Add(r.For / time.Duration(len(r.runnable)))
	}
	return again
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
