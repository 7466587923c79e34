// Package command runs one program to its end and, if it fails, says in one
// error which program, where, how it ended and what it said last.
//
// It knows nothing of what the programs are for. Everything above takes a
// Runner, so that tests put a fake in its place.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// tailLines is how much of a failed program's output an error carries: enough
// for a compiler's complaint, short enough for a terminal.
const tailLines = 20

// graceAfterInterrupt is how long a program may clean up after Ctrl-C (go
// build removes its work directory) before its whole group is killed.
const graceAfterInterrupt = 3 * time.Second

// Command is one program to run.
type Command struct {
	// Argv is the program and its arguments; the program is looked up in PATH.
	Argv []string
	// Dir is the working directory; empty means the caller's.
	Dir string
	// Env is the whole environment; nil means the caller's.
	Env []string
	// Line, if set, is told every line of the standard error as it comes.
	Line func(string)
	// Cloneflags are the new namespaces the program gets (CLONE_NEWNET …);
	// zero means none.
	Cloneflags uintptr
	// Stdin is fed to the program; empty means no input.
	Stdin string
}

// String is the command as a person would type it.
func (c Command) String() string {
	words := make([]string, len(c.Argv))
	for i, w := range c.Argv {
		if strings.ContainsAny(w, " \t'\"") {
			w = "'" + w + "'"
		}
		words[i] = w
	}
	return strings.Join(words, " ")
}

// Runner runs a command and returns its standard output. The error, if the
// program ran and failed, is a *Failure; if ctx ended, it wraps ctx's error.
type Runner func(ctx context.Context, c Command) (stdout string, err error)

// Failure is a program that could not be started or ended badly.
type Failure struct {
	Command Command
	// ExitCode is -1 for a program that was not started or was killed.
	ExitCode int
	// Tail is the end of what it wrote, at most 20 lines.
	Tail []string
	// Cause is the operating system's word on it.
	Cause error
}

// Error is the whole story over several lines, fit to be shown as it is.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "`%s`", f.Command)
	if f.Command.Dir != "" {
		fmt.Fprintf(&b, " in %s", f.Command.Dir)
	}
	if f.ExitCode >= 0 {
		fmt.Fprintf(&b, " exited with code %d", f.ExitCode)
	} else {
		fmt.Fprintf(&b, ": %v", f.Cause)
	}
	if len(f.Tail) > 0 {
		b.WriteString("; its last lines:\n  | " + strings.Join(f.Tail, "\n  | "))
	}
	return b.String()
}

func (f *Failure) Unwrap() error { return f.Cause }

// Run is the real Runner. The program leads a process group of its own: when
// ctx ends the group is interrupted, then killed, so that no compiler is left
// behind by a go command that died first.
func Run(ctx context.Context, c Command) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", c.Argv[0], err)
	}
	var stdout bytes.Buffer
	last := &tail{keep: tailLines}
	errLines := &lineWriter{each: func(s string) {
		last.add(s)
		if c.Line != nil {
			c.Line(s)
		}
	}}
	cmd := prepare(ctx, c)
	cmd.Stdout, cmd.Stderr = &stdout, errLines
	if err := cmd.Start(); err != nil {
		return "", &Failure{Command: c, ExitCode: -1, Cause: err}
	}
	err := cmd.Wait()
	// Whatever the leader left running would keep files of ours open.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	errLines.flush()
	if err == nil {
		return stdout.String(), nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("%s: %w", c.Argv[0], ctx.Err())
	}
	if len(last.lines) == 0 {
		last.addAll(stdout.String())
	}
	return "", &Failure{Command: c, ExitCode: exitCode(err), Tail: last.lines, Cause: err}
}

// prepare makes the exec.Cmd whose end by ctx is gentle first.
func prepare(ctx context.Context, c Command) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	if c.Stdin != "" {
		cmd.Stdin = strings.NewReader(c.Stdin)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Cloneflags: c.Cloneflags}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = graceAfterInterrupt
	return cmd
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}
