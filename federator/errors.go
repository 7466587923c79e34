package federator

import (
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

// ConflictError says which other owner holds an object or a field that the spec
// wants. Nothing is ever forced.
type ConflictError = kube.ConflictError
