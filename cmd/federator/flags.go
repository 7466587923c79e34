package main

import (
	"fmt"

	"github.com/meshfed/meshfed/federator"
)

// outputFormat is the closed set of output formats; it is a flag value.
type outputFormat string

const (
	formatText outputFormat = "text"
	formatYAML outputFormat = "yaml"
	formatJSON outputFormat = "json"
)

func (o *outputFormat) String() string { return string(*o) }
func (o *outputFormat) Type() string   { return "format" }

func (o *outputFormat) Set(s string) error {
	switch v := outputFormat(s); v {
	case formatText, formatYAML, formatJSON:
		*o = v
		return nil
	}
	return fmt.Errorf("write text, yaml or json")
}

// dryRun is the --dry-run flag.
type dryRun struct{ federator.DryRun }

func (d *dryRun) String() string { return string(d.DryRun) }
func (d *dryRun) Type() string   { return "mode" }

func (d *dryRun) Set(s string) error {
	switch v := federator.DryRun(s); v {
	case federator.DryRunNone, federator.DryRunClient, federator.DryRunServer:
		d.DryRun = v
		return nil
	}
	return fmt.Errorf("write none, client or server")
}
