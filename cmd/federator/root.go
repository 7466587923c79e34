package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshfed/meshfed/federator"
)

// defaultTimeout bounds a command. An apply takes well under a second; what
// takes longer is an API server that does not answer.
const defaultTimeout = time.Minute

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "federator",
		Short:         "Connect Istio meshes: expose and consume services across their private gateways",
		SilenceUsage:  true,
		SilenceErrors: true,
		Long: `Connect Istio meshes: expose and consume services across their private gateways.

Exit codes: 0 done; 1 an error; 2 there is a difference (plan --exit-code, diff,
verify, explain); 3 a conflict: another owner holds an object or a field, no inventory
lists objects of this mesh, or a controller keeps this cluster; 4 invalid
declarations; 5 the cluster is not ready (preflight).`,
	}
	cmd.AddCommand(planCommand(), diffCommand(), applyCommand(), statusCommand(), cancelCommand(), validateCommand(), renderCommand(), crdsCommand(),
		verifyCommand(), explainCommand(), controllerCommand(), manifestCommand())
	return cmd
}

// files is the -f flag, shared by every command.
type files struct{ paths []string }

func (f *files) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&f.paths, "filename", "f", nil, "file or folder with declarations (repeat for several)")
	_ = cmd.MarkFlagRequired("filename") // cannot fail: the flag was just made
}

func (f *files) load() (federator.Spec, error) { return federator.Load(f.paths...) }

// connection is how a cluster is reached.
type connection struct{ kubeconfig, context string }

func (c *connection) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.kubeconfig, "kubeconfig", "", "kubeconfig file (default: $KUBECONFIG, then ~/.kube/config)")
	cmd.Flags().StringVar(&c.context, "context", "", "kubeconfig context (default: the current one)")
}

// config falls back to the Pod's own credentials inside a cluster.
func (c *connection) config() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.kubeconfig
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules,
		&clientcmd.ConfigOverrides{CurrentContext: c.context}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	return cfg, nil
}

// cluster holds the flags of the commands that talk to one.
type cluster struct {
	files
	connection
	timeout time.Duration
	output  outputFormat
}

func (c *cluster) flags(cmd *cobra.Command) {
	c.files.flags(cmd)
	c.output = formatText
	c.connection.flags(cmd)
	cmd.Flags().DurationVar(&c.timeout, "timeout", defaultTimeout, "give up after this long")
	cmd.Flags().VarP(&c.output, "output", "o", "text, yaml or json")
	cmd.Args = cobra.NoArgs
}

// with loads the declarations, connects, and calls do within the time limit.
func (c *cluster) with(cmd *cobra.Command, do func(context.Context, *federator.Engine, federator.Spec) error) error {
	spec, err := c.load()
	if err != nil {
		return err
	}
	engine, err := c.engine()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), c.timeout)
	defer cancel()
	err = do(ctx, engine, spec)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && err != nil {
		return fmt.Errorf("gave up after %s (--timeout): %w", c.timeout, err)
	}
	return err
}

func (c *cluster) engine() (*federator.Engine, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	return federator.New(cfg)
}
