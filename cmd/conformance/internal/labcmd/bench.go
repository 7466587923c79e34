package labcmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/embedded"
	"github.com/meshfed/meshfed/cmd/internal/usage"
)

func (l *labs) bench() *cobra.Command {
	var runs int
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure: from nothing to serving gateways, and memory, for 1, 2 and 3 meshes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := ofNoLab(cmd, "makes labs of its own"); err != nil {
				return err
			}
			if runs < 1 {
				return usage.Errorf("--runs %d: want at least 1", runs)
			}
			var rows [][]string
			for meshes := 1; meshes <= 3; meshes++ {
				row, err := l.measure(cmd.Context(), cmd.ErrOrStderr(), meshes, runs)
				if err != nil {
					return err
				}
				rows = append(rows, row)
			}
			w := cmd.OutOrStdout()
			fmt.Fprintln(w, "Time from a call of Create, tools built, to all of: API ready, node Ready, CoreDNS, istiod and")
			fmt.Fprintln(w, "both private gateways of every mesh rolled out. Memory: proportional set size of all the lab's")
			fmt.Fprintln(w, "processes at that moment, divided by the meshes. One warm-up run is not counted.")
			return table(w, []string{"meshes", "runs", "min", "median", "max", "memory per mesh"}, rows)
		},
	}
	c.Flags().IntVar(&runs, "runs", 3, "counted runs of each size")
	return c
}

func (l *labs) measure(ctx context.Context, progress io.Writer, meshes, runs int) ([]string, error) {
	p, err := provider(nil)
	if err != nil {
		return nil, err
	}
	var times []time.Duration
	var memory []int64
	for i := range runs + 1 {
		begun := time.Now()
		lab, err := p.Create(ctx, fmt.Sprintf("bench-%d", os.Getpid()), cluster.TopologyOf(meshes))
		if err != nil {
			return nil, err
		}
		took := time.Since(begun)
		bytes, memErr := lab.(*embedded.Lab).Memory()
		if err := lab.Delete(ctx); err != nil {
			return nil, err
		}
		if memErr != nil {
			return nil, memErr
		}
		fmt.Fprintf(progress, "meshes: %d, run %d of %d (run 0 is not counted): %s\n", meshes, i, runs, took.Round(10*time.Millisecond))
		if i > 0 {
			times, memory = append(times, took), append(memory, bytes/int64(meshes))
		}
	}
	slices.Sort(times)
	slices.Sort(memory)
	round := func(d time.Duration) string { return d.Round(10 * time.Millisecond).String() }
	return []string{
		fmt.Sprint(meshes), fmt.Sprint(runs), round(times[0]), round(times[len(times)/2]), round(times[len(times)-1]),
		fmt.Sprintf("%d MB", memory[len(memory)/2]/1e6),
	}, nil
}
