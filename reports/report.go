package reports

import (
	"fmt"
	"time"
)

// APIVersion and Kind identify the format. A reader that meets another version
// must refuse it rather than guess.
const (
	APIVersion = "conformance.meshfed.io/v1alpha1"
	Kind       = "ConformanceReport"
)

// ConformanceReport is the result of one run.
type ConformanceReport struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Run
	End
	Summary Summary `json:"summary"`
	// Scenarios are in the order in which their verdicts fell.
	Scenarios []Scenario `json:"scenarios"`
}

// Run is what is known before the first scenario starts.
type Run struct {
	// ID names the run's folder; unique below one output folder.
	ID             string         `json:"id"`
	Implementation Implementation `json:"implementation"`
	// SuiteVersion is the version of the harness and its features.
	SuiteVersion string `json:"suiteVersion"`
	// Provider is where the meshes lived ("embedded").
	Provider string   `json:"provider"`
	Topology Topology `json:"topology"`
	// Versions are those found in the clusters, by component
	// ("c1/kubernetes"), not those asked for.
	Versions map[string]string `json:"versions,omitempty"`
	// Capabilities are those the implementation declared.
	Capabilities []string    `json:"capabilities"`
	Environment  Environment `json:"environment"`
	Selection    Selection   `json:"selection"`
	// Seed of the order in which the scenarios were played; zero means the
	// order of the features.
	Seed    int64     `json:"seed"`
	Started time.Time `json:"started"`
}

// Implementation is the system under test.
type Implementation struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// Topology is the set of meshes the run used.
type Topology struct {
	Lab      string   `json:"lab"`
	Clusters []string `json:"clusters"`
}

// Environment is the machine that ran the harness.
type Environment struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
	Go   string `json:"go"`
}

// Selection is what was asked for and how much that is.
type Selection struct {
	// Tags is the tag expression; empty selects every tag.
	Tags string `json:"tags,omitempty"`
	// Paths are feature files, with :LINE where one scenario was asked for.
	Paths []string `json:"paths,omitempty"`
	// Scenarios is how many were selected. A report with fewer verdicts is
	// that of a run that did not end.
	Scenarios int `json:"scenarios"`
}

// End is what is known when the last scenario is over. Its zero value is that
// of a run which never ended: the harness was killed.
type End struct {
	Finished time.Time `json:"finished,omitzero"`
	// SetupError says why no scenario could be run; empty if it could.
	SetupError string `json:"setupError,omitempty"`
	// Interrupted is set if a signal ended the run.
	Interrupted bool `json:"interrupted,omitempty"`
}

// Scenario is one scenario (or one row of an outline) and its verdict.
type Scenario struct {
	// ID is stable while the scenario keeps its name and its place among
	// the rows of its outline.
	ID      string `json:"id"`
	Feature string `json:"feature"`
	// Rule is empty for a scenario outside any rule.
	Rule string   `json:"rule,omitempty"`
	Name string   `json:"name"`
	Tags []string `json:"tags,omitempty"`
	File string   `json:"file"`
	// Line is the scenario's, or for an outline that of the row.
	Line    int     `json:"line"`
	Verdict Verdict `json:"verdict"`
	// Reason is present for every verdict but Passed.
	Reason string `json:"reason,omitempty"`
	// DurationSeconds includes clean-up.
	DurationSeconds float64 `json:"durationSeconds"`
	// Steps are those of the only attempt, backgrounds included.
	Steps []Step `json:"steps,omitempty"`
	// Faults are what beside the steps bears on the verdict.
	Faults []Fault `json:"faults,omitempty"`
	// Figures are what it measured.
	Figures Figures `json:"figures,omitzero"`
	// Attempts are set if the scenario was played more than once; Steps,
	// Faults and Figures are then those of the attempt that speaks for it:
	// the first that did not pass, or the last.
	Attempts []Attempt `json:"attempts,omitempty"`
	// Evidence are files below the run's folder, slash-separated.
	Evidence []string `json:"evidence,omitempty"`
}

// Attempt is one of several plays of a scenario.
type Attempt struct {
	Verdict         Verdict `json:"verdict"`
	Reason          string  `json:"reason,omitempty"`
	DurationSeconds float64 `json:"durationSeconds"`
}

// Validate says whether the verdict can stand in a report.
func (s Scenario) Validate() error {
	if !s.Verdict.valid() {
		return fmt.Errorf("scenario %s: verdict %q: want one of %v", s.ID, s.Verdict, Verdicts())
	}
	if s.Verdict.NeedsReason() && s.Reason == "" {
		return fmt.Errorf("scenario %s: verdict %s without a reason", s.ID, s.Verdict)
	}
	return s.validateFacts()
}

// Duration of the scenario.
func (s Scenario) Duration() time.Duration {
	return time.Duration(s.DurationSeconds * float64(time.Second))
}

// Summary counts verdicts.
type Summary struct {
	Passed       int `json:"passed"`
	Failed       int `json:"failed"`
	Skipped      int `json:"skipped"`
	NotSupported int `json:"notSupported"`
	Inconclusive int `json:"inconclusive"`
	KnownGap     int `json:"knownGap"`
	Flaky        int `json:"flaky"`
}

// Assemble makes the report of a run out of its parts; the summary is always
// computed, never taken on trust.
func Assemble(run Run, scenarios []Scenario, end End) ConformanceReport {
	r := ConformanceReport{APIVersion: APIVersion, Kind: Kind, Run: run, End: end, Scenarios: scenarios}
	for _, s := range scenarios {
		*r.Summary.counter(s.Verdict)++
	}
	return r
}

// Count is how many scenarios have the verdict.
func (s Summary) Count(v Verdict) int { return *s.counter(v) }

func (s *Summary) counter(v Verdict) *int {
	return map[Verdict]*int{
		Passed: &s.Passed, Failed: &s.Failed, Skipped: &s.Skipped,
		NotSupported: &s.NotSupported, Inconclusive: &s.Inconclusive, KnownGap: &s.KnownGap, Flaky: &s.Flaky,
	}[v]
}
