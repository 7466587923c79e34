package reports

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"
)

// WriteJUnit writes the report for CI systems: a suite per feature file. What
// was skipped or is not supported is skipped with its reason; what could not
// be decided is an error, not a failure; a run whose set-up died, or that was
// cut short, holds one synthetic case that says so, since an empty file would
// be read as green.
func WriteJUnit(w io.Writer, r ConformanceReport) error {
	suites := junit.Testsuites{Name: "meshfed conformance"}
	var total time.Duration
	for _, group := range byFile(r.Scenarios) {
		suite := newJUnitSuite(group[0].File, len(suites.Suites), r)
		var sum time.Duration
		for _, s := range group {
			suite.AddTestcase(junitCase(s))
			sum += s.Duration()
		}
		suite.Time = junitSeconds(sum)
		total += sum
		suites.AddSuite(suite)
	}
	if fault := r.Incomplete(); fault != "" {
		suite := newJUnitSuite("run", len(suites.Suites), r)
		suite.Time = junitSeconds(0)
		suite.AddTestcase(junit.Testcase{
			Name: "the run comes to its end", Classname: "run", Time: junitSeconds(0),
			Error: junitResult(string(Inconclusive), fault),
		})
		suites.AddSuite(suite)
	}
	suites.Time = junitSeconds(total)
	if err := suites.WriteXML(w); err != nil {
		return fmt.Errorf("write report as JUnit: %w", err)
	}
	return nil
}

// Incomplete is why the run as a whole is not complete; empty if it is. That it
// says it ended is not enough: whatever was selected must have its verdict.
func (r ConformanceReport) Incomplete() string {
	decided := fmt.Sprintf("%d of %d scenarios have a verdict", len(r.Scenarios), r.Selection.Scenarios)
	switch {
	case r.SetupError != "":
		return "set-up failed: " + r.SetupError
	case r.Interrupted:
		return "interrupted; " + decided
	case r.Finished.IsZero():
		return "the run did not end; " + decided
	case len(r.Scenarios) != r.Selection.Scenarios:
		return decided
	}
	return ""
}

func newJUnitSuite(name string, id int, r ConformanceReport) junit.Testsuite {
	suite := junit.Testsuite{Name: name, ID: id}
	suite.SetTimestamp(r.Started)
	suite.AddProperty("implementation", r.Implementation.Name)
	suite.AddProperty("provider", r.Provider)
	return suite
}

func junitCase(s Scenario) junit.Testcase {
	name := s.Name
	if s.Rule != "" {
		name = s.Rule + ": " + s.Name
	}
	c := junit.Testcase{Name: name, Classname: s.ID, Time: junitSeconds(s.Duration()), Status: string(s.Verdict)}
	switch s.Verdict {
	case Failed, Flaky:
		c.Failure = junitResult(string(s.Verdict), s.Reason)
	case Inconclusive:
		c.Error = junitResult(string(s.Verdict), s.Reason)
	case Skipped, NotSupported, KnownGap:
		c.Skipped = junitResult(string(s.Verdict), s.Reason)
	}
	if len(s.Evidence) > 0 {
		c.SystemOut = &junit.Output{Data: cdata("evidence:\n" + strings.Join(s.EvidencePaths(), "\n"))}
	}
	return c
}

func junitResult(kind, reason string) *junit.Result {
	first, _, _ := strings.Cut(reason, "\n")
	return &junit.Result{Message: cdata(first), Type: kind, Data: cdata(reason)}
}

// cdata drops what XML 1.0 cannot hold (control bytes from a backend's
// answer, say): one such byte makes CI reject the whole file.
func cdata(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || (r >= 0x20 && r != 0xFFFE && r != 0xFFFF) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func junitSeconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// byFile groups scenarios by feature file in order of first appearance.
func byFile(scenarios []Scenario) [][]Scenario {
	index := map[string]int{}
	var groups [][]Scenario
	for _, s := range scenarios {
		at, seen := index[s.File]
		if !seen {
			at = len(groups)
			index[s.File] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], s)
	}
	return groups
}
