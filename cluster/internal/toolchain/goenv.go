package toolchain

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshfed/meshfed/cluster/internal/command"
)

// golang is the Go toolchain that builds.
type golang struct {
	version string // "go1.26.8"
	cache   string // GOCACHE
}

// inspectGo asks the go command which it is. It is run inside the source tree
// since go.mod may choose the toolchain.
func inspectGo(ctx context.Context, h host, source string) (golang, error) {
	if _, err := h.lookPath("go"); err != nil {
		return golang{}, fmt.Errorf("tools: the go command is not in PATH: install Go 1.26 or later from https://go.dev/dl/")
	}
	out, err := h.run(ctx, command.Command{
		Argv: []string{"go", "env", "GOVERSION", "GOCACHE"}, Dir: source, Env: goEnv(h),
	})
	if err != nil {
		return golang{}, fmt.Errorf("tools: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 {
		return golang{}, fmt.Errorf("tools: `go env GOVERSION GOCACHE` answered %q, want two lines", out)
	}
	return golang{version: lines[0], cache: lines[1]}, nil
}

// steering are the variables that would make another binary of the same
// source. They are set to what the lab wants, or, without a value here,
// removed. GOFLAGS is set rather than emptied: an empty one would let a value
// from `go env -w` through.
func steering(arch string) map[string]string {
	return map[string]string{
		"CGO_ENABLED":  "0",
		"GOOS":         "linux",
		"GOARCH":       arch,
		"GOWORK":       "off",
		"GOFLAGS":      "-mod=readonly",
		"GO111MODULE":  "on",
		"GOAMD64":      "v1",
		"GOARM64":      "v8.0",
		"GOEXPERIMENT": "",
		"GOROOT":       "",
	}
}

// goEnv is the environment of every go command: the caller's (proxy, caches,
// certificates), without what steers the compiler.
func goEnv(h host) []string {
	steer := steering(h.arch)
	var env []string
	for _, kv := range h.environ() {
		name, _, _ := strings.Cut(kv, "=")
		if _, ours := steer[name]; !ours {
			env = append(env, kv)
		}
	}
	for name, value := range steer {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}
