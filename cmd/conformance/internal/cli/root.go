// Package cli is the conformance command: it turns flags into a run of the
// suite, shows how it goes, and ends with the exit code that scripts rely on.
// It must not know what the features are about.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cmd/conformance/internal/labcmd"
	"github.com/meshfed/meshfed/cmd/conformance/internal/reportcmd"
	"github.com/meshfed/meshfed/cmd/internal/interrupt"
	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
)

// Providers makes the provider of each name on demand; progress goes to out.
type Providers map[string]func(out *os.File) (cluster.Provider, error)

// Program is everything the command is made of.
type Program struct {
	Providers Providers
	// Flags adds to run what only some providers know. Nil adds nothing.
	Flags func(*pflag.FlagSet)
	// Engines are those that --engine can choose.
	Engines engine.Known
	// Extra are commands beside run and list.
	Extra []*cobra.Command
}

// exitError is an end that has been reported already: only its code is left
// to be said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Main runs the command line and returns the exit code (see reports.Exit…).
// The first interrupt, or a terminal that is closed, ends the run in good order,
// a second interrupt at once.
func (p Program) Main(args []string, out, errs io.Writer) int {
	// client-go logs an exec that was cancelled as an error of its own; what
	// matters of it is in the error that it returns.
	klog.SetLogger(logr.Discard())
	ctx, release := interrupt.Context(context.Background())
	defer release()
	root := p.Command()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	usage.Strict(root)
	return report(ctx, root.ExecuteContext(ctx), errs)
}

// Command is the root of the command line.
func (p Program) Command() *cobra.Command {
	root := &cobra.Command{
		Use:           "conformance",
		Short:         "Prove on real meshes that a federation engine does what it claims",
		Version:       Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(p.run(), p.load(), list(), p.why(), p.debug(), p.mutants(), p.falseAlarms(), burner())
	root.AddCommand(p.Extra...)
	return root
}

func report(ctx context.Context, err error, errs io.Writer) int {
	var exit exitError
	if errors.As(err, &exit) {
		return int(exit)
	}
	if err == nil {
		return reports.ExitGreen
	}
	var ran *labcmd.ExitError
	if errors.As(err, &ran) {
		return ran.Code
	}
	fmt.Fprintln(errs, "conformance:", err)
	var bad *usage.Error
	switch {
	case ctx.Err() != nil:
		return reports.ExitInterrupted
	case errors.As(err, &bad), errors.Is(err, suite.ErrUsage):
		return reports.ExitUsage
	case errors.Is(err, reportcmd.ErrRefused):
		return reports.ExitNonConformant
	}
	return reports.ExitInconclusive
}

// Version of the program, as the Go build recorded it.
func Version() string { return reports.Version() }
