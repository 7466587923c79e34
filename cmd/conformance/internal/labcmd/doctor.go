package labcmd

import (
	"github.com/spf13/cobra"
)

// Doctor is `conformance doctor`.
func Doctor() *cobra.Command {
	var clusters int
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine has and lacks for a lab, and how to get it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := provider(nil)
			if err != nil {
				return err
			}
			return p.Doctor(cmd.Context(), cmd.OutOrStdout(), clusters)
		},
	}
	c.Flags().IntVar(&clusters, "clusters", 2, "how many meshes the lab is to have")
	return c
}
