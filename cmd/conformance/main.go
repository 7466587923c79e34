// Command conformance proves on real meshes that a federation engine does what
// it claims, and keeps meshes up for those who work on one.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cluster/embedded"
	"github.com/meshfed/meshfed/cluster/kind"
	"github.com/meshfed/meshfed/cmd/conformance/internal/cli"
	"github.com/meshfed/meshfed/cmd/conformance/internal/kindcmd"
	"github.com/meshfed/meshfed/cmd/conformance/internal/labcmd"
	"github.com/meshfed/meshfed/cmd/conformance/internal/reportcmd"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/engine/controller"
	"github.com/meshfed/meshfed/engine/exec"
	"github.com/meshfed/meshfed/engine/static"
	"github.com/meshfed/meshfed/suite/bench"
)

func main() {
	// The lab's own processes are this binary too; theirs never comes back.
	embedded.Main()
	kind.Main()
	program, err := program()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	os.Exit(program.Main(os.Args[1:], os.Stdout, os.Stderr))
}

// program is the command with all that it is made of.
func program() (cli.Program, error) {
	var places places
	known, err := engines()
	return cli.Program{
		Providers: places.providers(),
		Flags:     places.flags,
		Engines:   known,
		Extra: []*cobra.Command{
			labcmd.New(bench.Deploy), labcmd.Doctor(places.doctors(), places.flags), reportcmd.New(),
			kindcmd.Images(buildImages), kindcmd.Cleanup(cleaners()),
		},
	}, err
}

func engines() (engine.Known, error) {
	seed, err := static.New(cli.Version())
	return engine.Known{
		Engines: []engine.Engine{builtin.New(cli.Version()), controller.New(cli.Version()), seed},
		Openers: map[string]engine.Opener{exec.Name: openProgram},
	}, err
}

func openProgram(ctx context.Context, path string) (engine.Engine, error) {
	return exec.Open(ctx, path, exec.DefaultTimeout)
}
