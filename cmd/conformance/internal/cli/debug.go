package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cmd/conformance/internal/bundle"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite/bench"
)

// debugFlags are the flags of debug bundle.
type debugFlags struct {
	provider, lab, run, output string
	since                      time.Duration
}

func (p Program) debug() *cobra.Command {
	c := &cobra.Command{Use: "debug", Short: "Gather what somebody else needs to find a fault"}
	var f debugFlags
	b := &cobra.Command{
		Use:   "bundle",
		Short: "Pack the state of a lab and the report of a run into one archive, without secrets",
		Long: "Packs the objects, Envoy's configuration and access logs of all gateways, istiod's view, the logs of\n" +
			"the pods, and the run's folder. No Secret is read; a file with a private key is left out and named;\n" +
			"tokens are blotted out.",
		Example: "  conformance debug bundle --lab default --run out/latest --output bundle.tar.gz",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			left, err := p.bundle(cmd.Context(), f)
			if err != nil {
				return err
			}
			for _, l := range left {
				fmt.Fprintln(cmd.ErrOrStderr(), "conformance: left out:", l)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "bundle:", f.output)
			return err
		},
	}
	p.upFlags(b, &f.provider, &f.lab)
	b.Flags().StringVar(&f.run, "run", "", "the `folder` of a run to pack as well")
	b.Flags().StringVar(&f.output, "output", "conformance-debug.tar.gz", "the archive to write, a `file`")
	b.Flags().DurationVar(&f.since, "since", time.Hour, "how far back logs go")
	c.AddCommand(b)
	return c
}

// bundle writes the archive and says what it left out.
func (p Program) bundle(ctx context.Context, f debugFlags) (left []string, err error) {
	lab, leave, err := p.up(ctx, f.provider, f.lab)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, leave()) }()
	dir, err := os.MkdirTemp("", "conformance-debug-")
	if err != nil {
		return nil, fmt.Errorf("debug bundle: %w", err)
	}
	defer os.RemoveAll(dir)
	state := filepath.Join(dir, "lab")
	if _, err := bench.Evidence(ctx, lab, p.Engines.Engines, time.Now().Add(-f.since), state); err != nil {
		left = append(left, err.Error())
	}
	if f.run != "" {
		more, err := copyRun(f.run, filepath.Join(dir, "run"))
		if err != nil {
			return nil, fmt.Errorf("--run: %w", err)
		}
		left = append(left, more...)
	}
	return left, bundle.Write(f.output, dir)
}

// copyRun copies the files of a run through the filter of evidence.
func copyRun(from, to string) (left []string, err error) {
	if _, err := os.Stat(filepath.Join(from, reports.JournalFile)); err != nil {
		return nil, err
	}
	from, err = filepath.EvalSymlinks(from)
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := bench.WriteEvidence(filepath.Join(to, name), content); err != nil {
			left = append(left, fmt.Sprintf("%s: %v", name, err))
		}
		return nil
	})
	return left, err
}
