package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/meshfed/meshfed/cmd/internal/usage"
	"github.com/meshfed/meshfed/federator"
)

// The exit codes; scripts branch on them, so they never change meaning.
const (
	exitDone = iota
	exitError
	exitChanges
	exitConflict
	exitInvalid
	exitNotReady
)

// errChanges is no failure: plan --exit-code found something to do.
var errChanges = errors.New("the plan has changes")

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	cmd := root()
	cmd.SetArgs(args)
	cmd.SetOut(out)
	cmd.SetErr(errOut)
	usage.Strict(cmd)
	err := cmd.ExecuteContext(ctx)
	if err != nil && exitCode(err) != exitChanges {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(errOut, "error: "+line)
		}
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var conflict *federator.ConflictError
	var invalid *federator.ValidationError
	var notReady *federator.PreflightError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errChanges), errors.Is(err, errFindings), errors.Is(err, errDisagrees):
		return exitChanges
	case errors.As(err, &conflict):
		return exitConflict
	case errors.As(err, &invalid):
		return exitInvalid
	case errors.As(err, &notReady):
		return exitNotReady
	}
	return exitError
}
