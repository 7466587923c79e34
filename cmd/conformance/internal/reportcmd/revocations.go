package reportcmd

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/reports"
)

func revocations() *cobra.Command {
	return &cobra.Command{
		Use:   "revocations FOLDER…",
		Short: "The revocation times of several runs together; exit code 1 if one is beyond its bound",
		Long: "One run has a few trials of each way to withdraw something, from which no p99 follows. This puts the\n" +
			"trials of many runs together: of the same implementation, on the same machine, or they mean nothing.\n" +
			"Times are of the last request that was still accepted; known gaps are listed and not judged.",
		Example: "  conformance report revocations out/2026*",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			runs, err := rebuilt(args)
			if err != nil {
				return err
			}
			judged, gaps := reports.PoolRevocations(runs)
			if len(judged)+len(gaps) == 0 {
				return fmt.Errorf("%w: none of the %d runs has timed a revocation", ErrRefused, len(runs))
			}
			if err := writeRevocations(cmd.OutOrStdout(), judged, gaps); err != nil {
				return err
			}
			for _, f := range judged {
				if err := f.Holds(); err != nil {
					return fmt.Errorf("%w: %w", ErrRefused, err)
				}
			}
			return nil
		},
	}
}

func writeRevocations(w io.Writer, judged, gaps []reports.RevocationFigure) error {
	table := reports.NewTable(w, "withdrawn", "connections", "trials", "p50 ms", "p99 ms", "max ms", "bound ms", "")
	for _, part := range []struct {
		figures []reports.RevocationFigure
		note    string
	}{{judged, ""}, {gaps, "known gap"}} {
		for _, f := range part.figures {
			ms := func(x float64) string { return fmt.Sprintf("%.0f", x) }
			row := []string{f.Way, string(f.Connection), fmt.Sprint(f.N), ms(f.P50Millis), ms(f.P99Millis), ms(f.MaxMillis), ms(f.BoundMillis), part.note}
			if err := table.Append(row); err != nil {
				return fmt.Errorf("write table: %w", err)
			}
		}
	}
	if err := table.Render(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}
