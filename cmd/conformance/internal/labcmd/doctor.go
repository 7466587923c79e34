package labcmd

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshfed/meshfed/cmd/internal/usage"
)

// Doctors say of each provider, by its name, what a run with it would meet.
// What would stop a run is in the error.
type Doctors map[string]func(ctx context.Context, w io.Writer, clusters int) error

// Doctor is `conformance doctor`; flags adds what only some providers know.
func Doctor(doctors Doctors, flags func(*pflag.FlagSet)) *cobra.Command {
	var clusters int
	var provider string
	names := strings.Join(slices.Sorted(maps.Keys(doctors)), ", ")
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is there and what is missing for a run, and how to get it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			examine, known := doctors[provider]
			if !known {
				return usage.Errorf("--provider %q: there are: %s", provider, names)
			}
			return examine(cmd.Context(), cmd.OutOrStdout(), clusters)
		},
	}
	flags(c.Flags())
	c.Flags().StringVar(&provider, "provider", "embedded", "where the meshes are to live: "+names)
	c.Flags().IntVar(&clusters, "clusters", 2, "how many meshes the lab is to have; existing clusters are as many as there are")
	return c
}
