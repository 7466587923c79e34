// Package findings is how a check of this machine is told: what was found, what
// is needed and how to mend it.
//
// It knows nothing of what is checked.
package findings

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Severity says what a finding means for a lab.
type Severity string

// The severities; there are no others.
const (
	// OK: nothing to do.
	OK Severity = "ok"
	// Warn: a lab may start, but something is less than it should be, or
	// cannot be known yet.
	Warn Severity = "warn"
	// Fail: a lab cannot run.
	Fail Severity = "fail"
)

// Finding is the result of one check.
type Finding struct {
	// What was looked at ("memory").
	What string
	// Severity is never empty.
	Severity Severity
	// Found and Needed say what is there and what a lab takes.
	Found, Needed string
	// Mend says what to do; empty for OK.
	Mend string
}

// Failures is one error with every failed finding, or nil if none failed.
func Failures(findings []Finding) error {
	var lines []string
	for _, f := range findings {
		if f.Severity == Fail {
			lines = append(lines, fmt.Sprintf("  %s: found %s; needed: %s; %s", f.What, f.Found, f.Needed, f.Mend))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New("this machine cannot run the lab:\n" + strings.Join(lines, "\n"))
}

// Write writes the findings as a table with a line for each, and below it what
// is to be mended.
func Write(w io.Writer, findings []Finding) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "CHECK\tRESULT\tFOUND\tNEEDED")
	for _, f := range findings {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.What, f.Severity, oneLine(f.Found), f.Needed)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write findings: %w", err)
	}
	for _, f := range findings {
		if f.Mend == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s: %s: %s\n", f.Severity, f.What, f.Mend); err != nil {
			return fmt.Errorf("write findings: %w", err)
		}
	}
	return nil
}

// oneLine keeps a program's complaint from breaking the table.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
