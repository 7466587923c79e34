package plan

import (
	"context"
	"errors"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/internal/kube"
)

// inVain is how long a rehearsal takes that has waited for a webhook and not been
// answered. One that is refused a connection takes milliseconds.
const inVain = time.Second

// rehearse asks for what an object would be. A webhook that is away costs seconds for
// every object, and nothing is withdrawn before all have been asked for. So what has
// failed is not asked for again, and once one has waited in vain, what is as it was
// rendered is taken for what it is. All else is asked for whatever it takes: one
// object's webhook must not hold up what another one is to lose.
func (in Input) rehearse(ctx context.Context, live, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	ref := kube.RefOf(desired)
	if err := in.Unrehearsed[ref]; err != nil {
		return nil, err
	}
	if in.slow.Load() && asRendered(ctx, live, desired) {
		return live, nil
	}
	began := time.Now()
	after, err := in.Predict(ctx, live, desired)
	if passes(ref, err) && time.Since(began) > inVain {
		in.slow.Store(true)
	}
	return after, err
}

// passes says whether an error of a rehearsal may go by itself.
func passes(ref kube.Ref, err error) bool {
	var conflict *kube.ConflictError
	return kube.Answered(err) && !errors.As(err, &conflict) && !kube.AsRefusal(ref, err, &conflict)
}

// rehearsalError is one of the rehearsal of an apply. A webhook that is away, or that
// cannot cope with one object, fails it: that says nothing about any other object.
type rehearsalError struct {
	err error
	// asRendered: the object has nothing to gain by the apply.
	asRendered bool
}

func (e *rehearsalError) Error() string { return e.err.Error() }

func (e *rehearsalError) Unwrap() error { return e.err }

func (e *rehearsalError) conflict(ref kube.Ref) *kube.ConflictError {
	return &kube.ConflictError{Object: ref, Reason: "it cannot be rehearsed; this is tried again: " + strings.Join(strings.Fields(e.Error()), " ")}
}
