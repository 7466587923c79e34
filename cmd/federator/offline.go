package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator"
)

func validateCommand() *cobra.Command {
	var f files
	cmd := &cobra.Command{
		Use:   "validate -f FILE_OR_FOLDER",
		Short: "Check declarations without a cluster",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.load()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "mesh %s: %d peers, %d exposures, %d consumptions, all valid\n",
				s.Mesh.Name, len(s.Peers), len(s.Exposures), len(s.Consumptions))
			return nil
		},
	}
	f.flags(cmd)
	return cmd
}

func renderCommand() *cobra.Command {
	var f files
	cmd := &cobra.Command{
		Use:   "render -f FILE_OR_FOLDER",
		Short: "Print the objects without a cluster, as if no consumed Service existed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.load()
			if err != nil {
				return err
			}
			objects, err := federator.Render(s)
			if err != nil {
				return err
			}
			for _, o := range objects {
				raw, err := yaml.Marshal(o.Object)
				if err != nil {
					return fmt.Errorf("encode %s %s: %w", o.GetKind(), o.GetName(), err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "---\n%s", raw)
			}
			return nil
		},
	}
	f.flags(cmd)
	return cmd
}
