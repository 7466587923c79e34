package kind

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/kind/pkg/apis/config/defaults"

	"github.com/meshfed/meshfed/cluster/internal/cachedir"
	"github.com/meshfed/meshfed/cluster/internal/images"
	"github.com/meshfed/meshfed/cluster/internal/progress"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
	"github.com/meshfed/meshfed/cluster/kind/internal/engine"
	"github.com/meshfed/meshfed/cluster/kind/internal/nodeimage"
)

// Where Istio's images are pulled from, and the names by which the charts of
// this project ask for them.
const (
	istioHub = "docker.io/istio"
	istioTag = "1.31.4"
)

// parts are what a lab is made of.
type parts struct {
	// node is the node image; nodeArchive holds it unless it is pulled.
	node, nodeArchive string
	// archives hold what the meshes run, images the names in them.
	archives []string
	images   []string
	// runtime starts the containers of an engine of our own.
	runtime  string
	istioctl string
	toolsDir string
}

// loadNode gets the node image into the engine.
func (p parts) loadNode(ctx context.Context, d docker) error {
	if p.nodeArchive == "" {
		return nil
	}
	return d.load(ctx, p.node, p.nodeArchive)
}

// parts gets what the lab is made of, or says what stands in the way.
func (p *Provider) parts(ctx context.Context, host enginePlace) (parts, error) {
	if p.options.Airgapped {
		return p.build(ctx)
	}
	return p.pull(ctx, p.docker(host.address))
}

// BuildImages makes all images of an air-gapped lab and returns the files that
// hold them, with their sizes in bytes. What is there already is not made again.
func (p *Provider) BuildImages(ctx context.Context) (map[string]int64, error) {
	made, err := p.build(ctx)
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, file := range append(made.archives, made.nodeArchive) {
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		sizes[file] = info.Size()
	}
	return sizes, nil
}

// build makes everything here.
func (p *Provider) build(ctx context.Context) (parts, error) {
	if os.Geteuid() != 0 {
		return parts{}, errors.New("making images takes root: their files belong to the users that they name")
	}
	cfg := p.toolchain()
	if err := toolchain.EnsureHostPackages(ctx, cfg); err != nil {
		return parts{}, err
	}
	if err := toolchain.EnsurePackages(ctx, cfg, nodeimage.Packages()); err != nil {
		return parts{}, err
	}
	tools, err := toolchain.Ensure(ctx, cfg)
	if err != nil {
		return parts{}, err
	}
	folder, err := images.Ensure(ctx, tools, p.cacheDir)
	if err != nil {
		return parts{}, err
	}
	made, err := p.common(ctx, tools, folder)
	if err != nil {
		return parts{}, err
	}
	node, err := toolchain.EnsureNode(ctx, cfg)
	if err != nil {
		return parts{}, err
	}
	image, err := nodeimage.Ensure(ctx, nodeimage.Inputs{Lab: tools, Node: node, CacheDir: p.cacheDir, Progress: p.report})
	if err != nil {
		return parts{}, err
	}
	made.node, made.nodeArchive = image.Name, image.Archive
	made.runtime = node.Path(toolchain.RuncFit)
	return made, nil
}

// common is what both ways share: the images of a folder, and the programs.
func (p *Provider) common(ctx context.Context, tools toolchain.Tools, folder string) (parts, error) {
	archives, err := images.Archives(ctx, folder, p.cacheDir)
	if err != nil {
		return parts{}, err
	}
	names, err := images.Names(folder)
	if err != nil {
		return parts{}, err
	}
	return parts{archives: archives, images: names, istioctl: tools.Path(toolchain.Istioctl), toolsDir: tools.Dir}, nil
}

// ownTools are the programs that nothing that is pulled brings.
func ownTools() []toolchain.Tool {
	return []toolchain.Tool{toolchain.Istioctl, toolchain.CoreDNS, toolchain.Bookinfo, toolchain.Federator}
}

// pull makes only what is nowhere to be pulled from, and pulls the rest: kind's
// node image by the digest that this kind was released with, Istio's by tag.
func (p *Provider) pull(ctx context.Context, d docker) (parts, error) {
	cfg := p.toolchain()
	if err := toolchain.EnsureHostPackages(ctx, cfg); err != nil {
		return parts{}, err
	}
	tools, err := toolchain.EnsureOnly(ctx, cfg, ownTools()...)
	if err != nil {
		return parts{}, err
	}
	folder, err := images.EnsureOwn(ctx, tools, p.cacheDir)
	if err != nil {
		return parts{}, err
	}
	got, err := p.common(ctx, tools, folder)
	if err != nil {
		return parts{}, err
	}
	got.node = defaults.Image
	file, err := p.pullIstio(ctx, d)
	if err != nil {
		return parts{}, err
	}
	got.archives = append(got.archives, file)
	return got, p.pulled(ctx, d, got.node)
}

// pulled pulls an image unless the engine has it.
func (p *Provider) pulled(ctx context.Context, d docker, image string) (err error) {
	if _, err := d.run(ctx, "image", "inspect", "--format", "{{.Id}}", image); err == nil {
		return nil
	}
	task := p.report.Begin(progress.Step{Title: "pulling " + image})
	defer func() { task.End(err) }()
	if _, err := d.run(ctx, "pull", "--quiet", image); err != nil {
		return fmt.Errorf("%w; where nothing can be pulled: --airgapped", err)
	}
	return nil
}

// pullIstio saves Istio's images under the names that the charts ask for.
func (p *Provider) pullIstio(ctx context.Context, d docker) (string, error) {
	e := cachedir.Entry{Root: filepath.Join(p.cacheDir, "images"), Name: "istio-pulled", Key: hex.EncodeToString([]byte(istioTag))}
	dir, err := cachedir.Make(ctx, e, nil, func(ctx context.Context, dir string) error {
		save := []string{"save", "--output", filepath.Join(dir, "images.tar")}
		for _, name := range []string{"pilot", "proxyv2"} {
			from, to := istioHub+"/"+name+":"+istioTag, "meshfed.local/"+name+":dev"
			if err := p.pulled(ctx, d, from); err != nil {
				return err
			}
			if _, err := d.run(ctx, "tag", from, to); err != nil {
				return err
			}
			save = append(save, to)
		}
		_, err := d.run(ctx, save...)
		return err
	})
	return filepath.Join(dir, "images.tar"), err
}

// enginePlace is a Docker engine to use.
type enginePlace struct {
	// address is empty where Docker's client knows it by itself.
	address string
	// own says that the engine is the project's own, up or not.
	own bool
}

// chooseEngine prefers the engine that Docker's client finds. Where there is
// none, and nothing has to be pulled, one of our own takes its place.
func (p *Provider) chooseEngine(ctx context.Context) (enginePlace, error) {
	found := p.users()
	err := found.answers(ctx)
	if err == nil {
		return enginePlace{address: found.host}, nil
	}
	switch {
	case found.host != "":
		return enginePlace{}, fmt.Errorf("DOCKER_HOST=%s: %w", found.host, err)
	case ctx.Err() != nil:
		return enginePlace{}, context.Cause(ctx)
	case !p.options.Airgapped:
		return enginePlace{}, fmt.Errorf("no Docker engine answers, and images are to be pulled: start one, or use --airgapped (%w)", err)
	case os.Geteuid() != 0:
		return enginePlace{}, fmt.Errorf("no Docker engine answers, and bringing one up takes root (%w)", err)
	}
	if err := toolchain.EnsurePackages(ctx, p.toolchain(), engine.Packages()); err != nil {
		return enginePlace{}, err
	}
	return enginePlace{address: p.engine().Host(), own: true}, nil
}
