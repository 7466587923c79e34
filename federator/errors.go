package federator

import (
	"errors"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/preflight"
)

// Problem is one thing wrong with a declaration.
type Problem = api.Problem

// ValidationError lists everything wrong in the declarations. Find it with errors.As.
type ValidationError = api.ValidationError

// PreflightError lists what the cluster lacks, each problem with its cure.
type PreflightError = preflight.Error

// PassingError is what a Converge ends with that has done and judged all there was, but
// for what may go by itself: another one is to be made soon. The Convergence is as good
// as one without an error.
type PassingError struct{ Errs []error }

// Error has one line for each error.
func (e *PassingError) Error() string { return errors.Join(e.Errs...).Error() }

// Unwrap gives the errors.
func (e *PassingError) Unwrap() []error { return e.Errs }

// ConflictError says which other owner holds an object or a field that the spec
// wants. Nothing is ever forced.
type ConflictError = kube.ConflictError
