// Package kindcmd is `conformance images` and `conformance cleanup`: what a
// provider needs before a run, and what a run that was killed has left. It must
// know nothing of features.
package kindcmd

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cmd/internal/usage"
)

// Builder makes images and returns the files that hold them, with their sizes.
type Builder func(ctx context.Context, progress *os.File) (map[string]int64, error)

// Cleaner removes the labs of a provider, or the one of that name, and says
// what it removed.
type Cleaner func(ctx context.Context, lab string) ([]string, error)

// Images is `conformance images`.
func Images(build Builder) *cobra.Command {
	c := &cobra.Command{
		Use:   "images",
		Short: "The images of an air-gapped kind lab: build",
	}
	c.AddCommand(&cobra.Command{
		Use:   "build",
		Short: "Make the images of an air-gapped kind lab, so that a run has only to load them",
		Long: "Makes the node image, Istio's, CoreDNS's and the fixtures' from pinned Go modules, Debian's packages\n" +
			"and the Envoy binary, and pulls nothing. What is there already is not made again.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			begun := time.Now()
			files, err := build(cmd.Context(), os.Stderr)
			if err != nil {
				return err
			}
			for _, file := range slices.Sorted(maps.Keys(files)) {
				fmt.Fprintf(cmd.OutOrStdout(), "%6d MB  %s\n", files[file]/1e6, file)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "ready after %s\n", time.Since(begun).Round(100*time.Millisecond))
			return nil
		},
	})
	return c
}

// Cleanup is `conformance cleanup`. cleaners are by the providers' names.
func Cleanup(cleaners map[string]Cleaner) *cobra.Command {
	var provider, lab string
	names := strings.Join(slices.Sorted(maps.Keys(cleaners)), ", ")
	c := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove all labs of a provider: kept ones, and what killed runs have left",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			clean, known := cleaners[provider]
			if !known {
				return usage.Errorf("--provider %q: there are: %s", provider, names)
			}
			removed, err := clean(cmd.Context(), lab)
			for _, what := range removed {
				fmt.Fprintln(cmd.OutOrStdout(), "removed", what)
			}
			if err == nil && len(removed) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "nothing to remove")
			}
			return err
		},
	}
	c.Flags().StringVar(&provider, "provider", "kind", "whose labs: "+names)
	c.Flags().StringVar(&lab, "lab", "", "only the lab of this `name`")
	return c
}
