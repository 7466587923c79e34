package exec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	osexec "os/exec"
	"syscall"
	"time"
)

const (
	// maxAnswer bounds standard output, in bytes; an answer is some hundred.
	maxAnswer = 1 << 20
	// keptStderr is how much of the end of standard error an error quotes, in bytes.
	keptStderr = 4 << 10
	// waitDelay is how long pipes may stay open after the program is gone: a
	// grandchild that has inherited them must not hold up the run.
	waitDelay = time.Second
)

// ask runs the program once. It runs in a process group of its own, which dies
// as a whole when ctx ends: a shell's children must not go on writing to the
// cluster while the next scenario starts.
func ask(ctx context.Context, program string, req Request) (Answer, error) {
	req.Protocol = Protocol
	input, err := json.Marshal(req)
	if err != nil {
		return Answer{}, fmt.Errorf("encode request: %w", err)
	}
	out, stderr := &head{limit: maxAnswer}, &tail{limit: keptStderr}
	cmd := osexec.CommandContext(ctx, program)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), out, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = waitDelay
	started := time.Now()
	err = cmd.Run()
	if cmd.Process != nil {
		// Whoever the program left behind; none is the usual case.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	var exit *osexec.ExitError
	switch {
	case ctx.Err() != nil:
		return Answer{}, fmt.Errorf("killed after %s: %w%s", time.Since(started).Round(time.Millisecond), context.Cause(ctx), stderr)
	case errors.As(err, &exit):
		return Answer{}, fmt.Errorf("%s%s%s", exit.ProcessState, reason(req.Operation, out), stderr)
	case err != nil:
		return Answer{}, fmt.Errorf("%w%s", err, stderr)
	case out.over:
		return Answer{}, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	answer, err := parseAnswer(req.Operation, out.kept)
	if err != nil {
		return Answer{}, fmt.Errorf("%w%s", err, stderr)
	}
	return answer, nil
}

// reason is what a program that exits with an error has nevertheless answered.
func reason(op Operation, out *head) string {
	var a Answer
	if json.Unmarshal(out.kept, &a) == nil && a.Result == Failed && a.Error != "" {
		return ": " + a.check(op).Error()
	}
	return ""
}

// head keeps the beginning of a stream and takes the rest, so that a program
// that writes too much ends instead of blocking.
type head struct {
	kept  []byte
	limit int
	over  bool
}

func (h *head) Write(p []byte) (int, error) {
	room := h.limit - len(h.kept)
	h.over = h.over || len(p) > room
	h.kept = append(h.kept, p[:min(room, len(p))]...)
	return len(p), nil
}

// tail keeps the end of a stream, where programs say what stopped them.
type tail struct {
	kept  []byte
	limit int
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	text := string(bytes.TrimSpace(t.kept))
	if text == "" {
		return ""
	}
	return "; standard error: " + oneLine(text)
}
