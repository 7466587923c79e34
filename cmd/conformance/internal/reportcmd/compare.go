package reportcmd

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

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

// rebuilt are the reports of runs, by their folders.
func rebuilt(folders []string) ([]reports.ConformanceReport, error) {
	var runs []reports.ConformanceReport
	for _, folder := range folders {
		r, err := reports.Rebuild(filepath.Join(folder, reports.JournalFile))
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}
