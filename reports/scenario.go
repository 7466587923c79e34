package reports

import (
	"fmt"
	"time"
)

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
	// Evidence are files that explain the verdict.
	Evidence []EvidenceFile `json:"evidence,omitempty"`
}

// EvidenceFile is a file below the run's folder and what it held.
type EvidenceFile struct {
	// Path below the run's folder, slash-separated.
	Path string `json:"path"`
	// SHA256 of the content, in hexadecimal.
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
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

// EvidencePaths are the paths of the evidence, for those who only show them.
func (s Scenario) EvidencePaths() []string {
	var paths []string
	for _, f := range s.Evidence {
		paths = append(paths, f.Path)
	}
	return paths
}
