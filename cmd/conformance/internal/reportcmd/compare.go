package reportcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/compare"
)

func compareCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Tell what changed between two runs; exit code 1 if anything got worse",
		Long: "Tells changes of verdicts, and changes of latency and revocation times with intervals that hold for all\n" +
			"figures together: two runs of the same thing raise a false alarm at most once in 100 comparisons.",
		Example: "  conformance report compare out/20260102-030405-1 out/latest",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			both, err := rebuilt(args)
			if err != nil {
				return err
			}
			result := compare.Reports(both[0], both[1])
			if err := result.Write(cmd.OutOrStdout()); err != nil {
				return err
			}
			if n := result.Regressions(); n > 0 {
				return fmt.Errorf("%w: %d regressions", ErrRefused, n)
			}
			return nil
		},
	}
}

// isRun refuses as bad input a folder that has none of the files of a run: a
// name that was mistyped is no run that does not stand the examination.
func isRun(folder string, files ...string) error {
	for _, file := range files {
		if _, err := os.Stat(filepath.Join(folder, file)); !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	return usage.Errorf("%s is no folder of a run: it has no %s", folder, strings.Join(files, " and no "))
}

// rebuilt are the reports of runs, by their folders.
func rebuilt(folders []string) ([]reports.ConformanceReport, error) {
	var runs []reports.ConformanceReport
	for _, folder := range folders {
		if err := isRun(folder, reports.JournalFile); err != nil {
			return nil, err
		}
		r, err := reports.Rebuild(filepath.Join(folder, reports.JournalFile))
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}
