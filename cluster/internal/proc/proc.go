// Package proc runs one long-lived program of the lab and tells at once, with
// its exit code and last words, when it dies.
//
// A program that crashes at its start must never look like a slow one: every
// wait for a program goes through Until, which ends when the program does.
package proc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tailLines is how many of a dead program's last lines its error holds.
const tailLines = 12

// Process is a started program. Safe for concurrent use.
type Process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start runs cmd with both outputs appended to <logDir>/<name>.log.
func Start(cmd *exec.Cmd, name, logDir string) (*Process, error) {
	path := filepath.Join(logDir, name+".log")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: log file: %w", name, err)
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{name: name, log: path, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the program ended: its exit code and last log lines. It waits
// for the end. A long-lived program that ends is at fault even with code 0.
func (p *Process) Err() error {
	<-p.done
	state := "exit code 0"
	if p.err != nil {
		state = p.err.Error()
	}
	return fmt.Errorf("%s ended (%s); its last lines:\n%s", p.name, state, Tail(p.log, tailLines))
}

// Signal sends sig to the program.
func (p *Process) Signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// Until calls probe every interval until it returns nil. It ends early when
// the program ends, and says the last answer when ctx does.
func (p *Process) Until(ctx context.Context, interval time.Duration, probe func(context.Context) error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var last error
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := probe(attempt)
		cancel()
		if err == nil {
			return nil
		}
		last = err
		select {
		case <-p.done:
			return p.Err()
		case <-ctx.Done():
			return fmt.Errorf("%s not ready (%w); last answer: %w; its last lines:\n%s",
				p.name, context.Cause(ctx), last, Tail(p.log, tailLines))
		case <-tick.C:
		}
	}
}

// Tail is the last n lines of a file, indented; what cannot be read is said.
func Tail(path string, n int) string {
	f, err := os.Open(path)
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	defer f.Close()
	const window = 16 << 10
	if st, err := f.Stat(); err == nil && st.Size() > window {
		if _, err := f.Seek(-window, io.SeekEnd); err != nil {
			return "  (" + err.Error() + ")"
		}
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	lines := bytes.Split(bytes.TrimRight(b, "\n"), []byte("\n"))
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	var out strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&out, "  %s\n", l)
	}
	return strings.TrimRight(out.String(), "\n")
}
