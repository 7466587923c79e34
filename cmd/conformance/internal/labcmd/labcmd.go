// Package labcmd is `conformance lab`: labs that stay up, for people who work
// on one scenario or look at what a failed one left. It must know nothing of
// features; what is deployed on a fresh lab is handed to it.
package labcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/embedded"
	"github.com/meshfed/meshfed/cmd/internal/usage"
)

// DefaultLab is the lab's name where none is given.
const DefaultLab = "default"

// Prepare deploys on a fresh lab what every run expects to find.
type Prepare func(context.Context, cluster.Lab) error

// New is the command. Only the embedded provider has labs that the harness
// itself keeps up; others are clusters of somebody.
func New(prepare Prepare) *cobra.Command {
	c := &cobra.Command{
		Use:   "lab",
		Short: "Keep meshes up: up, status, exec, env, logs, kubeconfig, kill, down, bench",
	}
	l := &labs{prepare: prepare}
	c.PersistentFlags().StringVar(&l.name, "lab", DefaultLab, "the lab's `name`; several can be up side by side")
	c.AddCommand(l.up(), l.status(), l.down(), l.kubeconfig(), l.exec(), l.env(), l.logs(), l.kill(), l.bench())
	return c
}

// labs are the flags that the subcommands share.
type labs struct {
	name    string
	prepare Prepare
}

func provider(progress *os.File) (*embedded.Provider, error) {
	if progress == nil {
		return embedded.New()
	}
	return embedded.New(embedded.WithProgress(progress))
}

// ofNoLab refuses --lab for a command that is not about one lab.
func ofNoLab(cmd *cobra.Command, instead string) error {
	if cmd.Flags().Changed("lab") {
		return usage.Errorf("--lab: %s %s", cmd.Name(), instead)
	}
	return nil
}

// open is the lab that the flags name.
func (l *labs) open(ctx context.Context) (*embedded.Lab, error) {
	p, err := provider(nil)
	if err != nil {
		return nil, err
	}
	lab, err := p.Open(ctx, l.name)
	if err != nil {
		return nil, fmt.Errorf("%w; bring it up with `conformance lab up --lab %s`", err, l.name)
	}
	return lab.(*embedded.Lab), nil
}

// openCluster is a cluster of the lab that the flags name.
func (l *labs) openCluster(ctx context.Context, name string) (*embedded.Lab, cluster.Cluster, error) {
	lab, err := l.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	c, err := lab.Cluster(name)
	return lab, c, err
}

// chosen is the cluster that args name, or the lab's only or first one.
func chosen(lab cluster.Lab, args []string) (cluster.Cluster, error) {
	if len(args) > 0 {
		return lab.Cluster(args[0])
	}
	return lab.Clusters()[0], nil
}

func (l *labs) up() *cobra.Command {
	var clusters int
	var bare bool
	c := &cobra.Command{
		Use:   "up",
		Short: "Bring a lab up and leave it up",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, topology := cmd.Context(), cluster.TopologyOf(clusters)
			if err := errors.Join(cluster.ValidateName("lab", l.name), topology.Validate()); err != nil {
				return usage.Bad(err)
			}
			p, err := provider(os.Stderr)
			if err != nil {
				return err
			}
			lab, err := p.Create(ctx, l.name, topology)
			if err != nil {
				return err
			}
			if !bare {
				err = l.prepare(ctx, lab)
			}
			if err == nil {
				err = lab.(*embedded.Lab).Detach(ctx)
			}
			if err != nil {
				_ = lab.Delete(context.WithoutCancel(ctx))
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "lab %s is up; next: conformance lab status, conformance run --lab %s\n", l.name, l.name)
			return nil
		},
	}
	c.Flags().IntVar(&clusters, "clusters", 2, "how many meshes")
	c.Flags().BoolVar(&bare, "bare", false, "meshes and gateways only, without Bookinfo and certificates")
	return c
}

func (l *labs) down() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Remove a lab and all it consists of",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lab, err := l.open(cmd.Context())
			if err != nil {
				return err
			}
			return lab.Delete(cmd.Context())
		},
	}
}

func (l *labs) kubeconfig() *cobra.Command {
	return &cobra.Command{
		Use:   "kubeconfig [CLUSTER]",
		Short: "Print the path of a cluster's kubeconfig",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lab, err := l.open(cmd.Context())
			if err != nil {
				return err
			}
			c, err := chosen(lab, args)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), c.Kubeconfig())
			return nil
		},
	}
}

func (l *labs) logs() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "logs [CLUSTER [COMPONENT]]",
		Short: "List the logs of a cluster's components, print one, or export all with --dir",
		Args:  cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir != "" && len(args) > 0 {
				return usage.Errorf("--dir writes the logs of all clusters: leave %s out", args[0])
			}
			lab, err := l.open(cmd.Context())
			if err != nil {
				return err
			}
			if dir != "" {
				return lab.ExportLogs(cmd.Context(), dir)
			}
			return showLogs(cmd.OutOrStdout(), lab, args)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "write all logs below this `folder`")
	return c
}

func showLogs(w io.Writer, lab *embedded.Lab, args []string) error {
	if len(args) > 0 {
		if _, err := lab.Cluster(args[0]); err != nil {
			return usage.Bad(err)
		}
	}
	if len(args) == 2 {
		f, err := os.OpenInRoot(lab.LogDir(args[0]), args[1]+".log")
		if err != nil {
			return fmt.Errorf("no log of %s: %w; `conformance lab logs %s` lists them", args[1], err, args[0])
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	}
	for _, c := range lab.Clusters() {
		if len(args) == 1 && c.Name() != args[0] {
			continue
		}
		entries, err := os.ReadDir(lab.LogDir(c.Name()))
		if err != nil {
			return fmt.Errorf("logs of %s: %w", c.Name(), err)
		}
		for _, e := range entries {
			fmt.Fprintf(w, "%s\t%s\n", c.Name(), trimLog(e.Name()))
		}
	}
	return nil
}
