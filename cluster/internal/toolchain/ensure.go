package toolchain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/meshfed/meshfed/cluster/internal/cachedir"
)

// Ensure returns all tools, getting those that are missing. It may take a
// quarter of an hour the first time and a few hundredths of a second from then
// on. Concurrent calls, in one process or several, get each tool once. If it
// fails or ctx ends, what was got whole is kept and nothing else is left.
func Ensure(ctx context.Context, c Config) (Tools, error) {
	return ensure(ctx, c, realHost())
}

// EnsureOnly is Ensure for a few of the tools: it gets those that are made
// together with them, and nothing else.
func EnsureOnly(ctx context.Context, c Config, tools ...Tool) (Tools, error) {
	c, err := c.complete()
	if err != nil {
		return Tools{}, err
	}
	t, err := ensureSets(ctx, c, realHost(), setsOf(tools))
	if err != nil {
		return Tools{}, err
	}
	return t, t.link(ctx, c, "some-bin")
}

// setsOf are the sets that the tools are in.
func setsOf(tools []Tool) []set {
	return slices.DeleteFunc(sets(), func(s set) bool {
		return !slices.ContainsFunc(s.tools(), func(t Tool) bool { return slices.Contains(tools, t) })
	})
}

// Present is what EnsureOnly would return, without Dir, if it had nothing to get.
func Present(ctx context.Context, c Config, tools ...Tool) (t Tools, there bool, err error) {
	return present(ctx, c, realHost(), tools...)
}

func present(ctx context.Context, c Config, h host, tools ...Tool) (t Tools, there bool, err error) {
	c, err = c.complete()
	if err != nil {
		return Tools{}, false, err
	}
	compiler, err := inspectGo(ctx, h, c.SourceDir)
	if err != nil {
		return Tools{}, false, err
	}
	t = Tools{files: map[Tool]file{}}
	for _, s := range setsOf(tools) {
		e, err := builder{host: h, config: c, golang: compiler, set: s}.entry()
		if err != nil || !e.Exists() {
			return Tools{}, false, err
		}
		t.add(e.Path(), s.tools()...)
	}
	return t, true, nil
}

// EnsureNode returns what a node of kind is made of besides the lab's tools,
// getting what is missing as Ensure does.
func EnsureNode(ctx context.Context, c Config) (Tools, error) {
	return ensureNode(ctx, c, realHost())
}

func ensureNode(ctx context.Context, c Config, h host) (Tools, error) {
	c, err := c.complete()
	if err != nil {
		return Tools{}, err
	}
	t, err := ensureSets(ctx, c, h, nodeSets())
	if err != nil {
		return Tools{}, err
	}
	return t, t.link(ctx, c, "node-bin")
}

func ensure(ctx context.Context, c Config, h host) (Tools, error) {
	c, err := c.complete()
	if err != nil {
		return Tools{}, err
	}
	// A misspelt $ENVOY is told at once, not after a quarter of an hour.
	if _, _, err := findEnvoy(h); err != nil {
		return Tools{}, err
	}
	t, err := ensureSets(ctx, c, h, sets())
	if err != nil {
		return Tools{}, err
	}
	if err := t.addEnvoy(ctx, c, h); err != nil {
		return Tools{}, err
	}
	return t, t.link(ctx, c, "bin")
}

func ensureSets(ctx context.Context, c Config, h host, sets []set) (Tools, error) {
	compiler, err := inspectGo(ctx, h, c.SourceDir)
	if err != nil {
		return Tools{}, err
	}
	t := Tools{files: map[Tool]file{}}
	for _, s := range sets {
		dir, err := builder{host: h, config: c, golang: compiler, set: s}.ensure(ctx)
		if err != nil {
			return Tools{}, err
		}
		t.add(dir, s.tools()...)
		switch s.name {
		case istio:
			t.EnvoyBootstrap = filepath.Join(dir, bootstrapFile)
		case nodeparts:
			t.NodeFiles = filepath.Join(dir, nodeFilesDir)
		}
	}
	return t, nil
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
	dir, err := cachedir.Make(ctx, e, sayWaiting(b.config, string(b.set.name)), b.build)
	if err != nil {
		return "", err
	}
	return dir, shared(dir)
}

// sayWaiting tells that another run is getting the thing.
func sayWaiting(c Config, what string) func() {
	return func() { c.Progress.Note("another run is getting " + what + ": waiting for it") }
}

// link makes Dir: one folder with every tool under its name.
func (t *Tools) link(ctx context.Context, c Config, name string) error {
	var parts []string
	for _, tool := range t.has() {
		parts = append(parts, string(tool), t.Path(tool), t.Identity(tool))
	}
	e := cachedir.Entry{Root: c.toolsDir(), Name: name, Key: keyOf(parts...)}
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
