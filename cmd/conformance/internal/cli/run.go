package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
	"github.com/meshfed/meshfed/suite/bench"
)

// runFlags are the flags of run as given.
type runFlags struct {
	selection             suite.Selection
	provider, engine, lab string
	clusters              int
	// counted says that somebody has asked for that number.
	counted bool
	keep    bool
	out     string
	timeout time.Duration
	seed    int64
	repeat  int
	soak    time.Duration
	resume  string
	vendor  reports.Implementation
	signKey string
	// loadFrom is from where load leaves a mesh.
	loadFrom string
	// features are those of a measurement; nil are all.
	features fs.FS
}

func (p Program) run() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [PATH[:LINE]…]",
		Short: "Run the features, or some of them, and write the report",
		Long: "Runs the selected scenarios on a lab of its own, or on the lab of --lab if that is up.\n\n" +
			"Exit codes: 0 all green, 1 a scenario failed, 2 bad input or nothing to run,\n" +
			"3 inconclusive (the environment died), 130 interrupted.",
		Example: "  conformance run --tags '@core and not @acl'\n  conformance run --lab default expose.feature:20",
		RunE: func(cmd *cobra.Command, paths []string) error {
			f.selection.Paths = paths
			if err := readOptions(cmd); err != nil {
				return usage.Bad(err)
			}
			if f.timeout <= 0 {
				return usage.Errorf("--timeout %s: want a time to come", f.timeout)
			}
			return p.start(cmd, f)
		},
	}
	selectionFlags(c, &f.selection)
	reportFlags(c, &f)
	placeFlags(c, &f, p)
	c.Flags().DurationVar(&f.timeout, "timeout", time.Minute, fmt.Sprintf("time-out of one scenario without its clean-up, twice that for those of @load; beyond %s no profile is a success", reports.MaxScenarioTimeout))
	c.Flags().Int64Var(&f.seed, "seed", 0, "shuffle the scenarios by this `number`; 0 leaves them in order")
	return c
}

// placeFlags say where scenarios are played, and where the report goes.
func placeFlags(c *cobra.Command, f *runFlags, p Program) {
	if p.Flags != nil {
		p.Flags(c.Flags())
	}
	c.Flags().StringVar(&f.provider, "provider", "embedded", "where the meshes live: "+p.Providers.names())
	c.Flags().StringVar(&f.engine, "engine", "builtin", "the `name` of the engine under test, or exec:PROGRAM (docs/exec-protocol.md)")
	c.Flags().StringVar(&f.lab, "lab", "", "use the lab of this `name` if it is up, else make it")
	c.Flags().IntVar(&f.clusters, "clusters", 2, "how many meshes a new lab has")
	c.Flags().BoolVar(&f.keep, "keep", false, "leave a new lab up")
	c.Flags().StringVar(&f.loadFrom, "load-from", fromExec, "who sends the load that leaves a mesh: exec, a pod that is there, or job, one of its own")
	c.Flags().StringVar(&f.out, "out", "out", "`folder` for the reports; out/latest is the last run's")
}

// The words of --load-from.
const (
	fromExec = "exec"
	fromJob  = "job"
)

// reportFlags are about what is reported, and of whom.
func reportFlags(c *cobra.Command, f *runFlags) {
	c.Flags().String(optionsFlag, "", "YAML `file` of options by the names of flags; flags win")
	c.Flags().IntVar(&f.repeat, "repeat", 1, "play each scenario so `many` times; one that passes now and then is flaky")
	c.Flags().DurationVar(&f.soak, "for", 0, "play the scenarios again and again for so `long`, each at least once")
	c.Flags().StringVar(&f.resume, "resume", "", "go on with the `run` that was killed or interrupted: an id, or latest")
	c.Flags().StringVar(&f.vendor.Organization, "organization", "", "`who` makes the implementation")
	c.Flags().StringVar(&f.vendor.Project, "project", "", "its `name`")
	c.Flags().StringVar(&f.vendor.URL, "url", "", "its home, a `URL`")
	c.Flags().StringVar(&f.vendor.Version, "implementation-version", "", "its semantic `version`; default: what the engine says")
	c.Flags().StringArrayVar(&f.vendor.Contact, "contact", nil, "`whom` to ask about the report; can be repeated")
	c.Flags().StringVar(&f.signKey, "sign-key", "", "sign the report with this PEM `file` (conformance report keygen)")
}

func (p Program) start(cmd *cobra.Command, f runFlags) error {
	key, err := signingKey(f.signKey)
	if err != nil {
		return err
	}
	if err := keepsSignature(f, key); err != nil {
		return err
	}
	f.counted = cmd.Flags().Changed("clusters")
	chosen, err := p.choose(cmd.Context(), f)
	if err != nil {
		return usage.Bad(err)
	}
	place := &place{flags: f, provider: chosen.provider, engine: chosen.engine, errs: cmd.ErrOrStderr()}
	s, err := p.suite(f, chosen.engine, cmd.ErrOrStderr())
	if err != nil {
		return usage.Bad(err)
	}
	if err := place.open(cmd.Context()); err != nil {
		return err
	}
	place.tell = s.Progress.Tell
	s.Prepare = place.prepare
	report, err := s.Run(cmd.Context())
	folder := filepath.Join(f.out, s.ID)
	if err == nil && report.ExitCode() != reports.ExitGreen && !report.Interrupted {
		place.logs(filepath.Join(folder, "logs"))
	}
	// Sealed after the logs, which are part of it, whatever the verdicts.
	if report.ID != "" {
		err = errors.Join(err, seal(cmd.Context(), cmd.ErrOrStderr(), folder, key))
	}
	// The lab goes whatever happened, also after an interrupt.
	err = errors.Join(err, place.leave(context.WithoutCancel(cmd.Context())))
	if report.ID == "" {
		return err
	}
	err = errors.Join(err, reports.WriteTable(cmd.OutOrStdout(), report))
	if f.features != nil {
		err = errors.Join(err, writeFigures(cmd.OutOrStdout(), report))
	}
	fmt.Fprintf(cmd.OutOrStdout(), "report: %s\n", folder)
	if err != nil {
		return err
	}
	return exitError(report.ExitCode())
}

func (p Program) suite(f runFlags, e engine.Engine, progress io.Writer) (suite.Suite, error) {
	id := fmt.Sprintf("%s-%d", time.Now().UTC().Format("20060102-150405"), os.Getpid())
	if f.resume != "" {
		folder, err := reports.OpenFolder(f.out, f.resume)
		if err != nil {
			return suite.Suite{}, fmt.Errorf("--resume: %w", err)
		}
		id = folder.ID()
	}
	if f.repeat < 1 {
		return suite.Suite{}, fmt.Errorf("--repeat %d: want at least 1", f.repeat)
	}
	if f.soak < 0 {
		return suite.Suite{}, fmt.Errorf("--for %s: want a time to come", f.soak)
	}
	claims := f.features
	if claims == nil {
		claims = features.FS
	}
	return suite.Suite{
		Features:  claims,
		Selection: f.selection,
		Capabilities: suite.Capabilities{
			Known:    engine.Words(engine.Capabilities()),
			Declared: engine.Words(e.Capabilities()),
		},
		Implementation: implementation(f, e),
		Version:        Version(),
		Out:            f.out,
		ID:             id,
		Repeat:         f.repeat,
		For:            f.soak,
		Resume:         f.resume != "",
		Seed:           f.seed,
		Progress:       suite.NewProgress(progress, isTerminal(progress)),
		Timeout:        f.timeout,
	}, nil
}

// implementation is the engine in the words of its vendor, or in its own.
func implementation(f runFlags, e engine.Engine) reports.Implementation {
	i := f.vendor
	i.Name = e.Name()
	i.Version = cmp.Or(i.Version, e.Version())
	return i
}

// isTerminal says whether w is one; a dumb one cannot rewrite its last line.
func isTerminal(w io.Writer) bool {
	file, is := w.(*os.File)
	return is && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb" && os.Getenv("CI") == ""
}

// choice is what the flags name.
type choice struct {
	provider cluster.Provider
	engine   engine.Engine
}

func (p Program) choose(ctx context.Context, f runFlags) (choice, error) {
	e, err := p.Engines.Choose(ctx, f.engine)
	if err != nil {
		return choice{}, fmt.Errorf("--engine: %w", err)
	}
	if f.clusters < bench.MinClusters {
		return choice{}, fmt.Errorf("--clusters %d: the features need at least %d meshes", f.clusters, bench.MinClusters)
	}
	if f.loadFrom != fromExec && f.loadFrom != fromJob {
		return choice{}, fmt.Errorf("--load-from %q: want %s or %s", f.loadFrom, fromExec, fromJob)
	}
	if f.lab != "" {
		if err := cluster.ValidateName("lab", f.lab); err != nil {
			return choice{}, fmt.Errorf("--lab: %w", err)
		}
	}
	make, known := p.Providers[f.provider]
	if !known {
		return choice{}, fmt.Errorf("--provider %q: there are: %s", f.provider, p.Providers.names())
	}
	provider, err := make(os.Stderr)
	if err != nil {
		return choice{}, fmt.Errorf("--provider %s: %w", f.provider, err)
	}
	return choice{provider, e}, nil
}

func (p Providers) names() string {
	if len(p) == 0 {
		return "none in this build"
	}
	var names []string
	for name := range p {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
