package apply

import (
	"errors"

	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/plan"
)

// WithdrawalError says which deletions failed. Every other withdrawal of the plan
// has been tried all the same; what it adds has not been begun.
type WithdrawalError struct {
	// Failed are the objects that the API server would not delete, in their order.
	Failed []FailedDeletion
}

// FailedDeletion is one object that could not be deleted.
type FailedDeletion struct {
	Object kube.Ref
	Err    error
}

// Error has one line for each deletion.
func (e *WithdrawalError) Error() string { return errors.Join(e.Unwrap()...).Error() }

// Unwrap gives the errors of the deletions.
func (e *WithdrawalError) Unwrap() []error {
	out := make([]error, len(e.Failed))
	for i, f := range e.Failed {
		out[i] = f.Err
	}
	return out
}

// failures collects what went wrong during one run.
type failures struct {
	deletions []FailedDeletion
	others    []error
}

func (f *failures) any() bool { return len(f.deletions)+len(f.others) > 0 }

func (f *failures) note(ch plan.Change, err error) {
	if ch.Action == plan.ActionDelete && kube.Answered(err) {
		f.deletions = append(f.deletions, FailedDeletion{Object: ch.Object, Err: err})
		return
	}
	f.others = append(f.others, err)
}

func (f *failures) err() error {
	if len(f.deletions) == 0 {
		return errors.Join(f.others...)
	}
	return errors.Join(append([]error{&WithdrawalError{Failed: f.deletions}}, f.others...)...)
}
