package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/federator/crd"
)

func crdsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "crds",
		Short: "Print the definitions of Mesh, Peer, Exposure and Consumption for kubectl apply",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := crd.Manifest()
			if err != nil {
				return err
			}
			if _, err := cmd.OutOrStdout().Write(text); err != nil {
				return fmt.Errorf("print: %w", err)
			}
			return nil
		},
	}
}
