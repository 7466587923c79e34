package bench

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
)

// install brings an engine that lives in the clusters into each of them.
func (b *Bench) install(ctx context.Context) error {
	return explained(b.everywhere(ctx, engine.Installer.Install))
}

// Close takes away what New has installed, and ends what asks in the meshes. A lab
// that is deleted needs no Close.
func (b *Bench) Close(ctx context.Context) error {
	b.through.Close()
	if err := b.everywhere(ctx, engine.Installer.Uninstall); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

func (b *Bench) everywhere(ctx context.Context, do func(engine.Installer, context.Context, cluster.Cluster) error) error {
	installer, is := b.environment.Engine.(engine.Installer)
	if !is {
		return nil
	}
	all, ctx := errgroup.WithContext(ctx)
	for _, c := range b.lab.Clusters() {
		all.Go(func() error { return do(installer, ctx, c) })
	}
	return all.Wait()
}
