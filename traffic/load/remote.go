package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// message is one line of what a run elsewhere says: how far it is, or in the
// end its result.
type message struct {
	Progress *Progress `json:"progress,omitempty"`
	Result   *Result   `json:"result,omitempty"`
}

// stopWord, on a line of its own after the plan, stops a run. That nothing more
// can be read does not: not everybody who is far away can keep a stream open.
const stopWord = "stop"

// AwaitStop reads what follows a plan, and says whether a run is to be stopped.
func AwaitStop(in io.Reader) bool {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if lines.Text() == stopWord {
			return true
		}
	}
	return false
}

// Serve reads a Plan from in, carries it out, and writes to out how it goes and
// what was measured, also if ctx ends or if it is told to stop.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	var plan Plan
	if err := decoder.Decode(&plan); err != nil {
		return fmt.Errorf("load: read plan: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		if AwaitStop(io.MultiReader(decoder.Buffered(), in)) {
			cancel()
		}
	}()
	encoder := json.NewEncoder(out)
	// If nobody listens any more, the result will say so.
	plan.Watch = func(p Progress) { _ = encoder.Encode(message{Progress: &p}) }
	result, err := Run(ctx, plan, Transport)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if err := encoder.Encode(message{Result: &result}); err != nil {
		return fmt.Errorf("load: write result: %w", err)
	}
	return nil
}

// Exchange has serve, which is Serve at the far end of two streams, carry out a
// plan. If ctx ends the run is stopped, and what was measured until then is
// returned with the cause. The context of serve goes on for as long as that may
// take.
func Exchange(ctx context.Context, plan Plan, serve func(ctx context.Context, in io.Reader, out io.Writer) error) (Result, error) {
	in, questions := io.Pipe()
	answers, out := io.Pipe()
	far, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	go func() {
		if err := json.NewEncoder(questions).Encode(plan); err != nil {
			return
		}
		select {
		case <-far.Done():
		case <-ctx.Done():
			fmt.Fprintln(questions, stopWord)
			patience, giveUp := context.WithTimeout(far, stopLimit)
			defer giveUp()
			<-patience.Done()
			cancel()
		}
		_ = questions.Close()
	}()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// Whoever listens hears of this error, and of no later one.
		_ = out.CloseWithError(serve(far, in, out))
	}()
	result, err := listen(answers, plan.Watch)
	cancel()
	_ = answers.Close()
	_ = in.Close()
	<-ended
	switch {
	case result != nil:
		return *result, context.Cause(ctx)
	case ctx.Err() != nil:
		return Result{}, fmt.Errorf("load: stopped, and it told nothing more (%w): %w", err, context.Cause(ctx))
	}
	return Result{}, fmt.Errorf("load: no result: %w", err)
}

// stopLimit is how long a run that is told to stop may take to say what it has
// measured: the longest that a request may be under way, and some more.
const stopLimit = DefaultTimeout + DefaultTimeout/2

// saidLimit is how much is told of what the far end says instead of a result.
const saidLimit = 500

// listen reads until the result.
func listen(answers io.Reader, watch func(Progress)) (*Result, error) {
	decoder := json.NewDecoder(answers)
	for {
		var m message
		if err := decoder.Decode(&m); err != nil {
			// What is no message may be why there is none.
			rest, _ := io.ReadAll(io.LimitReader(decoder.Buffered(), saidLimit))
			return nil, fmt.Errorf("%w %s", err, bytes.TrimSpace(rest))
		}
		if m.Result != nil {
			return m.Result, nil
		}
		if m.Progress != nil && watch != nil {
			watch(*m.Progress)
		}
	}
}
