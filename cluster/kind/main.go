package kind

import (
	"fmt"
	"os"

	"github.com/meshfed/meshfed/cluster/internal/nsproc"
	"github.com/meshfed/meshfed/cluster/kind/internal/engine"
)

// Main lets one binary be the engine's processes too. A program that creates
// labs calls it first thing in main: if the program was started as a part of
// an engine, Main does that part and never returns.
func Main() {
	if len(os.Args) < 2 {
		return
	}
	switch os.Args[1] {
	case nsproc.InitArg:
		os.Exit(nsproc.Init(os.Args[2:]))
	case engine.Arg:
		if err := engine.Main(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}
