package traffic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/meshfed/meshfed/traffic/wire"
)

// errClosed is why a dialogue is over that nobody wants any more.
var errClosed = errors.New("closed")

// dialogue is a process in a pod that answers one question after another. To
// start a process in a pod costs some 60 ms of processor time on all the ways to
// it, and a run asks a thousand times.
type dialogue struct {
	what string
	// turn is taken by whoever asks: answers have the order of the questions.
	turn     chan struct{}
	in       *io.PipeWriter
	out      *io.PipeReader
	answers  *json.Decoder
	lifetime context.Context
	hangUp   context.CancelCauseFunc
}

// begin starts the process. It lives longer than ctx, until the dialogue is ended;
// that it does not start is told to the first who asks.
func begin(ctx context.Context, in place, command []string) *dialogue {
	lifetime, hangUp := context.WithCancelCause(context.WithoutCancel(ctx))
	stdin, questions := io.Pipe()
	answers, stdout := io.Pipe()
	go func() {
		err := in.exec(lifetime, command, stdin, stdout)
		if err == nil {
			err = io.EOF
		}
		// Whoever learns of it by a pipe must find the dialogue over.
		hangUp(err)
		_ = stdin.CloseWithError(err)
		_ = stdout.CloseWithError(err)
	}()
	return &dialogue{
		what: in.doing(command),
		turn: make(chan struct{}, 1), in: questions, out: answers, answers: json.NewDecoder(answers),
		lifetime: lifetime, hangUp: hangUp,
	}
}

// over says that a question would be in vain.
func (d *dialogue) over() bool { return d.lifetime.Err() != nil }

// end hangs up: the process reads the end of its input and leaves.
func (d *dialogue) end(cause error) {
	d.hangUp(cause)
	_ = d.in.Close()
	_ = d.out.Close()
}

// ask waits for its turn and for the answer. One that ctx does not wait for ends
// the dialogue before the next one's turn: the next to ask would take it for its
// own. Why somebody else ended it is no answer either, and does not pass for one.
func (d *dialogue) ask(ctx context.Context, q wire.Query) (wire.Arrivals, error) {
	var a wire.Arrivals
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return a, fmt.Errorf("%s: wait for other questions: %w", d.what, context.Cause(ctx))
	}
	if d.over() {
		return a, fmt.Errorf("%s: it has ended: %v", d.what, context.Cause(d.lifetime)) //nolint:errorlint // It is of another question.
	}
	stop := context.AfterFunc(ctx, func() { d.end(context.Cause(ctx)) })
	defer func() {
		if !stop() {
			d.end(context.Cause(ctx))
		}
	}()
	err := json.NewEncoder(d.in).Encode(q)
	if err == nil {
		err = d.answers.Decode(&a)
	}
	if err == nil {
		return a, nil
	}
	d.end(err)
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.Is(err, io.ErrClosedPipe):
		err = context.Cause(d.lifetime)
	}
	return wire.Arrivals{}, fmt.Errorf("%s: %w", d.what, err)
}
