package embedded

import (
	"context"
	"fmt"
	"io"

	"github.com/meshfed/meshfed/cluster/embedded/internal/preflight"
	"github.com/meshfed/meshfed/cluster/internal/findings"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// Doctor writes what this machine has and lacks for a lab of so many clusters,
// and how to get it. It changes nothing. The error says what would stop a lab.
func (p *Provider) Doctor(ctx context.Context, w io.Writer, clusters int) error {
	items, err := toolchain.Status(ctx, p.toolchain())
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	found := p.examine(ctx, clusters, items)
	if err := findings.Write(w, found); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, i := range items {
		if i.Present {
			fmt.Fprintf(w, "tool  %-12s present, %d MB\n", i.Name, i.Size/1e6)
		} else {
			fmt.Fprintf(w, "tool  %-12s missing: %s\n", i.Name, i.HowToGet)
		}
	}
	return findings.Failures(found)
}

func (p *Provider) toolchain() toolchain.Config {
	return toolchain.Config{CacheDir: p.cacheDir, Progress: p.report}
}

func (p *Provider) needs(clusters int, items []toolchain.Item) preflight.Needs {
	n := preflight.Needs{Clusters: clusters, CacheDir: p.cacheDir}
	for _, i := range items {
		n.ToolBytes += i.Needs
	}
	return n
}

// check says before anything starts what would make the lab fail later.
func (p *Provider) check(ctx context.Context, clusters int) error {
	items, err := toolchain.Status(ctx, p.toolchain())
	if err != nil {
		return err
	}
	return findings.Failures(p.examine(ctx, clusters, items))
}

func (p *Provider) examine(ctx context.Context, clusters int, items []toolchain.Item) []findings.Finding {
	return append(preflight.Check(ctx, p.needs(clusters, items)), toolchain.Obstacles(items)...)
}
