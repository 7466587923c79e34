package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/access"
	"github.com/meshfed/meshfed/cluster/embedded"
	"github.com/meshfed/meshfed/cluster/existing"
	"github.com/meshfed/meshfed/cmd/conformance/internal/cli"
	"github.com/meshfed/meshfed/cmd/conformance/internal/labcmd"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/suite/bench"
)

// places are the providers, and the flags that only some of them have.
type places struct {
	contexts, gateways []string
}

// flags adds them to a command.
func (p *places) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&p.contexts, "context", nil, "with --provider existing: `NAME=CONTEXT`, the kubeconfig context of a cluster; once for each")
	f.StringArrayVar(&p.gateways, "gateway", nil, "with --provider existing: `NAME=PEERS[,HERE]`, the host:port at which the other clusters, and if that differs this machine, reach the cluster's private gateway; default: what its Service says")
}

func (p *places) providers() cli.Providers {
	return cli.Providers{
		embedded.Name: func(progress *os.File) (cluster.Provider, error) { return p.embedded(progress) },
		existing.Name: func(*os.File) (cluster.Provider, error) { return p.existing() },
	}
}

func (p *places) embedded(progress *os.File) (*embedded.Provider, error) {
	if len(p.contexts)+len(p.gateways) > 0 {
		return nil, errors.New("--context and --gateway are of --provider existing: this one makes its own clusters")
	}
	if progress == nil {
		return embedded.New()
	}
	return embedded.New(embedded.WithProgress(progress))
}

func (p *places) existing() (*existing.Provider, error) {
	contexts, err := existing.ParseContexts(p.contexts)
	if err != nil {
		return nil, err
	}
	gateways, err := existing.ParseGateways(p.gateways)
	if err != nil {
		return nil, err
	}
	return existing.New(existing.Options{
		Contexts: contexts, Gateways: gateways, Rights: rights(), Namespaces: bench.Namespaces(),
	})
}

// rights are the harness's, and those of the one engine that works with the
// harness's credentials; every other one brings its own.
func rights() []access.Right {
	return append(bench.Rights(), builtin.Rights("default", "bookinfo")...)
}

// doctors examine what a run with that provider would meet.
func (p *places) doctors() labcmd.Doctors {
	return labcmd.Doctors{
		embedded.Name: func(ctx context.Context, w io.Writer, clusters int) error {
			provider, err := p.embedded(nil)
			if err != nil {
				return err
			}
			return provider.Doctor(ctx, w, clusters)
		},
		existing.Name: func(ctx context.Context, w io.Writer, _ int) error {
			provider, err := p.existing()
			if err != nil {
				return err
			}
			return provider.Doctor(ctx, w)
		},
	}
}
