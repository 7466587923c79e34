package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
	"github.com/meshfed/meshfed/suite/mutants"
)

// mutantFlags are the flags of mutants as given.
type mutantFlags struct {
	run                     runFlags
	only, out, write        string
	full, resume, surviving bool
	inspect                 bool
	limit                   time.Duration
}

func (p Program) mutants() *cobra.Command {
	f := mutantFlags{run: runFlags{provider: "embedded", engine: builtin.Name, loadFrom: fromExec}}
	c := &cobra.Command{
		Use:   "mutants",
		Short: "Break the engine in every way known, and see whether the features notice",
		Long: "Plays, with each broken engine, the scenarios that ought to notice, until one does.\n" +
			"Before it looks for the first time, each of them has to pass with the sound engine.\n\n" +
			"Exit codes: 0 every mutant is dead or proven equivalent, 1 one is not, 2 bad input,\n" +
			"3 inconclusive, 130 interrupted.",
		Example: "  conformance mutants --lab default\n  conformance mutants --lab default --only 'grant' --full",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.hunt(cmd, f) },
	}
	c.Flags().StringVar(&f.run.lab, "lab", "", "use the lab of this `name` if it is up, else make it")
	c.Flags().IntVar(&f.run.clusters, "clusters", 2, "how many meshes a new lab has")
	c.Flags().StringVar(&f.only, "only", "", "only mutants whose name fits this regular `expression`")
	c.Flags().BoolVar(&f.full, "full", false, "let every suspect look, also after one has noticed")
	c.Flags().BoolVar(&f.resume, "resume", false, "keep what --results has, and go on with the others")
	c.Flags().BoolVar(&f.surviving, "surviving", false, "with --resume: look again for those that were not dead")
	c.Flags().StringVar(&f.out, "results", filepath.Join("out", "mutants.json"), "`file` of the results, written after each mutant")
	c.Flags().StringVar(&f.write, "write", "", "write the matrix as Markdown to this `file`")
	c.Flags().BoolVar(&f.inspect, "verify", false, "have federator verify look at what each mutant of the objects that widens access applies, and only at those")
	c.Flags().DurationVar(&f.limit, "limit", time.Hour, "stop between two mutants after this time; --resume goes on")
	return c
}

// hunter is one run of the command.
type hunter struct {
	flags  mutantFlags
	out    io.Writer
	hunt   mutants.Hunt
	matrix mutants.Matrix
}

func (p Program) hunt(cmd *cobra.Command, f mutantFlags) error {
	h := &hunter{flags: f, out: cmd.OutOrStdout(), matrix: mutants.Matrix{Full: f.full}}
	wanted, err := h.wanted()
	if err != nil {
		return usage.Bad(err)
	}
	f.run.keep = false
	f.run.counted = cmd.Flags().Changed("clusters")
	chosen, err := p.choose(cmd.Context(), f.run)
	if err != nil {
		return usage.Bad(err)
	}
	stage := mutants.NewStage(builtin.New(""))
	at := &place{flags: f.run, provider: chosen.provider, engine: stage, errs: cmd.ErrOrStderr()}
	if err := at.open(cmd.Context()); err != nil {
		return err
	}
	_, err = at.prepare(cmd.Context())
	if err == nil {
		h.hunt.Place, h.hunt.Stage, h.hunt.Sound = at.bench, stage, builtin.New("")
		h.matrix.Where = where(at.bench.Facts())
		err = h.all(cmd.Context(), wanted)
		stage.Enter(builtin.New(""))
	}
	err = errors.Join(err, at.leave(context.WithoutCancel(cmd.Context())))
	h.matrix.Missing = h.missing()
	fmt.Fprintln(h.out, h.matrix.Line())
	if f.write != "" && len(h.matrix.Results) > 0 {
		err = errors.Join(err, writeFile(f.write, h.matrix.WriteMarkdown))
	}
	switch {
	case err != nil:
		return err
	case !h.matrix.Good():
		return exitError(reports.ExitNonConformant)
	}
	return nil
}

// wanted are the mutants to look for, and the scenarios by id.
func (h *hunter) wanted() ([]mutants.Mutant, error) {
	fits, err := regexp.Compile(h.flags.only)
	if err != nil {
		return nil, fmt.Errorf("--only: %w", err)
	}
	scenarios, err := suite.Select(features.FS, suite.Selection{})
	if err != nil {
		return nil, err
	}
	h.hunt.Scenarios = map[string]suite.Scenario{}
	var ids []string
	for _, s := range scenarios {
		h.hunt.Scenarios[s.ID], ids = s, append(ids, s.ID)
	}
	all := mutants.All()
	if err := mutants.Check(all, ids); err != nil {
		return nil, err
	}
	if err := h.earlier(); err != nil {
		return nil, err
	}
	if h.flags.inspect {
		h.matrix.Inspected = true
		h.matrix.Results = slices.DeleteFunc(h.matrix.Results, mutants.Result.Overlooked)
	}
	done := map[string]bool{}
	for _, r := range h.matrix.Results {
		done[r.Mutant] = true
	}
	h.hunt.Full, h.hunt.Inspect, h.hunt.OnTry = h.flags.full, h.flags.inspect, h.tell
	all = slices.DeleteFunc(all, func(m mutants.Mutant) bool {
		return done[m.Name] || !fits.MatchString(m.Name) || h.flags.inspect && !m.Widens
	})
	if len(all) == 0 && len(h.matrix.Results) == 0 {
		return nil, fmt.Errorf("--only %q: no mutant has such a name", h.flags.only)
	}
	return all, nil
}

// missing are those of the wanted names that nobody has looked for.
func (h *hunter) missing() []string {
	fits, err := regexp.Compile(h.flags.only)
	if err != nil {
		return nil
	}
	done := map[string]bool{}
	for _, r := range h.matrix.Results {
		done[r.Mutant] = true
	}
	var names []string
	for _, m := range mutants.All() {
		if !done[m.Name] && fits.MatchString(m.Name) && (m.Widens || !h.flags.inspect) {
			names = append(names, m.Name)
		}
	}
	return names
}

// earlier reads the results to go on from.
func (h *hunter) earlier() error {
	if !h.flags.resume {
		if h.flags.surviving {
			// What is not read would be written over.
			return fmt.Errorf("--surviving: want --resume as well: it is about what is in %s", h.flags.out)
		}
		return nil
	}
	text, err := os.ReadFile(h.flags.out)
	if err != nil {
		return fmt.Errorf("--resume: %w", err)
	}
	if err := json.Unmarshal(text, &h.matrix); err != nil {
		return fmt.Errorf("--resume: %s: %w", h.flags.out, err)
	}
	if h.matrix.Full && !h.flags.full {
		// The matrix would say of all mutants what is true of some.
		return fmt.Errorf("--resume: %s is of a hunt with --full: go on with --full", h.flags.out)
	}
	if h.flags.surviving {
		h.matrix.Results = slices.DeleteFunc(h.matrix.Results, func(r mutants.Result) bool { return !r.Fate().Good() })
	}
	return nil
}

func (h *hunter) all(ctx context.Context, wanted []mutants.Mutant) error {
	began, took := time.Now(), map[string]time.Duration{}
	for i, m := range wanted {
		if time.Since(began) > h.flags.limit {
			return fmt.Errorf("the time is over with %d mutants to go: --resume goes on", len(wanted)-i)
		}
		result, err := h.hunt.Mutant(ctx, m, took)
		if err != nil {
			return err
		}
		fmt.Fprintf(h.out, "[%d/%d] %s: %s\n", i+1, len(wanted), m.Name, result.Fate())
		h.matrix.Results = append(h.matrix.Results, result)
		if err := writeFile(h.flags.out, h.save); err != nil {
			return err
		}
	}
	return nil
}

func (h *hunter) save(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(h.matrix)
}

// tell shows one try: a control has no mutant.
func (h *hunter) tell(mutant string, t mutants.Try) {
	if mutant == "" {
		mutant = "the sound engine"
	}
	reason, _, _ := strings.Cut(t.Reason, "\n")
	fmt.Fprintf(h.out, "    %-12s %s with %s (%.2fs) %s\n", t.Verdict, t.Scenario, mutant, t.Seconds, reason)
}

// where is the place in one line.
func where(f suite.Facts) string {
	var parts []string
	for name, version := range f.Versions {
		parts = append(parts, name+" "+version)
	}
	slices.Sort(parts)
	return fmt.Sprintf("%s, %s", f.Provider, strings.Join(parts, ", "))
}

// writeFile writes a file whole or leaves the one that is there.
func writeFile(name string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	if err := errors.Join(write(file), file.Chmod(0o644), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(file.Name()))
	}
	return os.Rename(file.Name(), name)
}
