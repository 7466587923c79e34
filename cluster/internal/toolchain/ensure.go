package toolchain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/meshfed/meshfed/cluster/internal/cachedir"
)

// Ensure returns all tools, getting those that are missing. It may take a
// quarter of an hour the first time and a few hundredths of a second from then
// on. Concurrent calls, in one process or several, get each tool once. If it
// fails or ctx ends, what was got whole is kept and nothing else is left.
func Ensure(ctx context.Context, c Config) (Tools, error) {
	return ensure(ctx, c, realHost())
}

func ensure(ctx context.Context, c Config, h host) (Tools, error) {
	c, err := c.complete()
	if err != nil {
		return Tools{}, err
	}
	compiler, err := inspectGo(ctx, h, c.SourceDir)
	if err != nil {
		return Tools{}, err
	}
	// A misspelt $ENVOY is told at once, not after a quarter of an hour.
	if _, _, err := findEnvoy(h); err != nil {
		return Tools{}, err
	}
	t := Tools{files: map[Tool]file{}}
	for _, s := range sets() {
		dir, err := builder{host: h, config: c, golang: compiler, set: s}.ensure(ctx)
		if err != nil {
			return Tools{}, err
		}
		t.add(dir, s.tools()...)
		if s.name == istio {
			t.EnvoyBootstrap = filepath.Join(dir, bootstrapFile)
		}
	}
	if err := t.addEnvoy(ctx, c, h); err != nil {
		return Tools{}, err
	}
	return t, t.link(ctx, c)
}

// entry is where the set's programs are kept.
func (b builder) entry() (cachedir.Entry, error) {
	key, err := b.set.key(b.config.SourceDir, b.golang, b.host.arch)
	return cachedir.Entry{Root: b.config.toolsDir(), Name: string(b.set.name), Key: key}, err
}

func (b builder) ensure(ctx context.Context) (string, error) {
	e, err := b.entry()
	if err != nil {
		return "", err
	}
	return cachedir.Make(ctx, e, sayWaiting(b.config, string(b.set.name)), b.build)
}

// sayWaiting tells that another run is getting the thing.
func sayWaiting(c Config, what string) func() {
	return func() { c.Progress.Note("another run is getting " + what + ": waiting for it") }
}

// link makes Dir: one folder with every tool under its name.
func (t *Tools) link(ctx context.Context, c Config) error {
	var parts []string
	for _, tool := range t.has() {
		parts = append(parts, string(tool), t.Path(tool), t.Identity(tool))
	}
	e := cachedir.Entry{Root: c.toolsDir(), Name: "bin", Key: keyOf(parts...)}
	dir, err := cachedir.Make(ctx, e, nil, func(_ context.Context, dir string) error {
		for _, tool := range t.has() {
			if err := os.Symlink(t.Path(tool), filepath.Join(dir, string(tool))); err != nil {
				return fmt.Errorf("tools: %w", err)
			}
		}
		return nil
	})
	t.Dir = dir
	return err
}
