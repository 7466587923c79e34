package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/access"
	"github.com/meshfed/meshfed/cluster/embedded"
	"github.com/meshfed/meshfed/cluster/existing"
	"github.com/meshfed/meshfed/cluster/kind"
	"github.com/meshfed/meshfed/cmd/conformance/internal/cli"
	"github.com/meshfed/meshfed/cmd/conformance/internal/kindcmd"
	"github.com/meshfed/meshfed/cmd/conformance/internal/labcmd"
	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/engine/controller"
	"github.com/meshfed/meshfed/fixtures"
	"github.com/meshfed/meshfed/suite/bench"
)

// places are the providers, and the flags that only some of them have.
type places struct {
	contexts, gateways, images []string
	airgapped                  bool
}

// flags adds them to a command.
func (p *places) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&p.contexts, "context", nil, "with --provider existing: `NAME=CONTEXT`, the kubeconfig context of a cluster; once for each")
	f.BoolVar(&p.airgapped, "airgapped", false, "with --provider kind: make every image here and pull nothing")
	f.StringArrayVar(&p.images, "image", nil, "with --provider existing: `NAME=REGISTRY/NAME:TAG`, from where the clusters pull the image bookinfo, or federator; default: their nodes have it")
	f.StringArrayVar(&p.gateways, "gateway", nil, "with --provider existing: `NAME=PEERS[,HERE]`, the host:port at which the other clusters, and if that differs this machine, reach the cluster's private gateway; default: what its Service says")
}

func (p *places) providers() cli.Providers {
	return cli.Providers{
		embedded.Name: func(progress *os.File) (cluster.Provider, error) { return p.embedded(progress) },
		existing.Name: func(*os.File) (cluster.Provider, error) { return p.existing() },
		kind.Name:     func(progress *os.File) (cluster.Provider, error) { return p.kind(progress) },
	}
}

func (p *places) kind(progress *os.File) (*kind.Provider, error) {
	if err := p.ownClusters(); err != nil {
		return nil, err
	}
	return kind.New(kind.Options{Airgapped: p.airgapped, Progress: progress})
}

// ownClusters refuses what only clusters of somebody have.
func (p *places) ownClusters() error {
	if len(p.contexts)+len(p.gateways)+len(p.images) > 0 {
		return usage.Errorf("--context, --gateway and --image are of --provider existing: this one makes its own clusters")
	}
	return nil
}

func buildImages(ctx context.Context, progress *os.File) (map[string]int64, error) {
	provider, err := kind.New(kind.Options{Airgapped: true, Progress: progress})
	if err != nil {
		return nil, err
	}
	return provider.BuildImages(ctx)
}

func cleaners() map[string]kindcmd.Cleaner {
	return map[string]kindcmd.Cleaner{
		kind.Name: func(ctx context.Context, lab string) ([]string, error) {
			provider, err := kind.New(kind.Options{})
			if err != nil {
				return nil, err
			}
			return provider.Cleanup(ctx, lab)
		},
	}
}

func (p *places) embedded(progress *os.File) (*embedded.Provider, error) {
	if err := p.ownClusters(); err != nil {
		return nil, err
	}
	if p.airgapped {
		return nil, usage.Errorf("--airgapped is of --provider kind: this one pulls nothing anyway")
	}
	if progress == nil {
		return embedded.New()
	}
	return embedded.New(embedded.WithProgress(progress))
}

func (p *places) existing() (*existing.Provider, error) {
	if p.airgapped {
		return nil, usage.Errorf("--airgapped is of --provider kind: these clusters pull what they are told to")
	}
	contexts, err := existing.ParseContexts(p.contexts)
	if err != nil {
		return nil, usage.Bad(err)
	}
	gateways, err := existing.ParseGateways(p.gateways)
	if err != nil {
		return nil, usage.Bad(err)
	}
	images, err := existing.ParseImages(p.images, images())
	if err != nil {
		return nil, usage.Bad(err)
	}
	return existing.New(existing.Options{
		Contexts: contexts, Gateways: gateways, Images: images, Rights: rights(), Namespaces: bench.Namespaces(), Terms: bench.Terms(),
	})
}

// images are those that pods need and that only this project makes.
func images() []existing.Image {
	return []existing.Image{
		{Word: "bookinfo", Local: fixtures.Image, For: "Bookinfo"},
		{Word: "federator", Local: controller.Image, For: "--engine controller alone"},
	}
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
		kind.Name: func(ctx context.Context, w io.Writer, clusters int) error {
			provider, err := p.kind(nil)
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
