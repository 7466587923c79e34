// Package preflight says before anything starts whether this machine can run a
// lab: what was found, what is needed and how to mend it. What it does not say
// here comes up minutes later as a time-out of something else.
//
// It knows what a lab takes from a machine, not how a lab is made. It changes
// nothing: what it tries, it tries in namespaces that end with the try.
package preflight

import "github.com/meshfed/meshfed/cluster/internal/findings"

// Finding is the result of one check.
type Finding = findings.Finding

// The severities.
const (
	OK   = findings.OK
	Warn = findings.Warn
	Fail = findings.Fail
)
