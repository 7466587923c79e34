package embedded

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/meshfed/meshfed/cluster/embedded/internal/event"
	"github.com/meshfed/meshfed/cluster/embedded/internal/lab"
	"github.com/meshfed/meshfed/cluster/embedded/internal/node"
	"github.com/meshfed/meshfed/cluster/internal/nsproc"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/container"
)

const (
	labArg       = "__lab"
	containerArg = "__container"
)

// Main lets one binary be all of the lab's processes. A program that creates
// labs calls it first thing in main: if the program was started as a part of
// a lab, Main does that part and never returns.
func Main() {
	if len(os.Args) < 2 {
		return
	}
	switch os.Args[1] {
	case nsproc.InitArg:
		os.Exit(nsproc.Init(os.Args[2:]))
	case labArg:
		exit(lab.Main())
	case lab.NodeArg:
		exit(nodeMain())
	case containerArg:
		os.Exit(container.Main(os.Args[2:]))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func nodeMain() error {
	nsproc.KeepPrivate()
	var cfg node.Config
	if err := json.NewDecoder(os.Stdin).Decode(&cfg); err != nil {
		return fmt.Errorf("node configuration: %w", err)
	}
	cfg.Self = []string{"/proc/self/exe", containerArg}
	return node.Main(cfg, event.NewSender(os.NewFile(lab.EventsFD, "events"), cfg.Name))
}
