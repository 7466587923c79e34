package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/internal/images"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// parts are the programs and images of which a lab is made.
type parts struct {
	// tools are paths by program name.
	tools map[string]string
	// toolsDir holds them all, fit for a PATH.
	toolsDir string
	// images is the folder of image directories.
	images string
}

// parts gets what the lab needs, or says the one thing that stands in the way.
func (p *Provider) parts(ctx context.Context, t cluster.Topology) (parts, error) {
	if os.Geteuid() != 0 {
		return parts{}, errors.New("the embedded provider makes Linux namespaces and needs root: run it with sudo, or on clusters of your own with --provider existing")
	}
	cfg := p.toolchain()
	if err := toolchain.EnsureHostPackages(ctx, cfg); err != nil {
		return parts{}, fmt.Errorf("host packages: %w", err)
	}
	if err := p.check(ctx, len(t.Clusters)); err != nil {
		return parts{}, err
	}
	tools, err := toolchain.Ensure(ctx, cfg)
	if err != nil {
		return parts{}, fmt.Errorf("tools: %w", err)
	}
	dir, err := images.Ensure(ctx, tools, p.cacheDir)
	if err != nil {
		return parts{}, fmt.Errorf("images: %w", err)
	}
	ps := parts{tools: map[string]string{}, toolsDir: tools.Dir, images: dir}
	for _, tool := range toolchain.All() {
		ps.tools[string(tool)] = tools.Path(tool)
	}
	if ps.tools["nft"], err = toolchain.FindProgram(exec.LookPath, "nft"); err != nil {
		return parts{}, fmt.Errorf("host packages: %w", err)
	}
	return ps, nil
}
