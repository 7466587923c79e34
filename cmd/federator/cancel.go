package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/api"
)

func cancelCommand() *cobra.Command {
	var c cluster
	var only []string
	mode := dryRun{federator.DryRunNone}
	var gone bool
	cmd := &cobra.Command{
		Use:   "cancel -f FILE_OR_FOLDER [--only KIND/NAMESPACE/NAME]",
		Short: "Withdraw these exposures and consumptions, and nothing else",
		Long: `Withdraw these exposures and consumptions, and nothing else.

What a controller keeps is withdrawn by deleting the declarations inside the cluster.
Where the controller is gone, or cannot run while somebody must be cut off now,
--controller-gone withdraws it from here. A controller that is alive, or comes back,
makes again what is still declared: delete the declarations as well.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, e *federator.Engine, spec federator.Spec) error {
				selected, err := narrow(spec, only)
				if err != nil {
					return err
				}
				got, err := e.Cancel(ctx, selected, mode.DryRun, federator.ControllerGone(gone))
				return report(cmd, c.output, got, err)
			})
		},
	}
	c.flags(cmd)
	cmd.Flags().Var(&mode, "dry-run", "none, client (predict here) or server (rehearse at the API server)")
	cmd.Flags().StringArrayVar(&only, "only", nil, "cancel only this declaration, such as Exposure/bookinfo/ratings (repeat for several)")
	cmd.Flags().BoolVar(&gone, "controller-gone", false, "withdraw what a controller has made; one that is alive makes again what is still declared")
	return cmd
}

func narrow(spec federator.Spec, only []string) (federator.Spec, error) {
	if len(only) == 0 {
		return spec, nil
	}
	keys := make([]api.Key, len(only))
	for i, text := range only {
		var err error
		if keys[i], err = api.ParseKey(text); err != nil {
			return federator.Spec{}, err
		}
	}
	return spec.Select(keys...)
}
