package exec

import (
	"context"
	"fmt"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
)

// Name is the engine's word on the command line, before ":" and the program.
const Name = "exec"

// DefaultTimeout bounds one operation. It is less than a scenario's own limit,
// so that a program that hangs is named instead of the scenario.
const DefaultTimeout = 30 * time.Second

// Engine is a program as a system under test. Call Open.
type Engine struct {
	program string
	answer  Answer
	timeout time.Duration
}

var _ engine.Engine = Engine{}

// Open finds the program and asks for its capabilities. The name is looked up as
// a shell would; arguments cannot be given, write a script for them. Each
// operation is limited by timeout; zero means DefaultTimeout.
func Open(ctx context.Context, program string, timeout time.Duration) (Engine, error) {
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	path, err := osexec.LookPath(program)
	if err != nil {
		return Engine{}, fmt.Errorf("engine program: %w; write %s:<path of an executable file>", err, Name)
	}
	if path, err = filepath.Abs(path); err != nil {
		return Engine{}, fmt.Errorf("engine program %s: %w", program, err)
	}
	e := Engine{program: path, timeout: timeout}
	if e.answer, err = e.ask(ctx, Request{Operation: OpCapabilities}); err != nil {
		return Engine{}, err
	}
	return e, nil
}

// Name implements engine.Engine: the program's file name tells it in reports.
func (e Engine) Name() string { return Name + ":" + filepath.Base(e.program) }

// Version implements engine.Engine.
func (e Engine) Version() string { return e.answer.Version }

// Capabilities implements engine.Engine.
func (e Engine) Capabilities() []engine.Capability { return slices.Clone(e.answer.Capabilities) }

// Apply implements engine.Engine.
func (e Engine) Apply(ctx context.Context, c cluster.Cluster, declarations string) error {
	return e.on(ctx, OpApply, c, declarations)
}

// Cancel implements engine.Engine.
func (e Engine) Cancel(ctx context.Context, c cluster.Cluster, declarations string) error {
	return e.on(ctx, OpCancel, c, declarations)
}

func (e Engine) on(ctx context.Context, op Operation, c cluster.Cluster, declarations string) error {
	_, err := e.ask(ctx, Request{Operation: op, Cluster: c.Name(), Kubeconfig: c.Kubeconfig(), Spec: declarations})
	if err != nil {
		return fmt.Errorf("in %s: %w", c.Name(), err)
	}
	return nil
}

func (e Engine) ask(ctx context.Context, req Request) (Answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, e.timeout, fmt.Errorf("no answer within %s", e.timeout))
	defer cancel()
	answer, err := ask(ctx, e.program, req)
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: %w", e.Name(), req.Operation, err)
	}
	return answer, nil
}
