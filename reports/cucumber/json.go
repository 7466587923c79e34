// Package cucumber writes a report in the two formats of the Cucumber family:
// the JSON that CI plug-ins read, and Messages, one JSON object per line.
//
// Both are made of the report alone, so that they can be made again from the
// journal. What the formats cannot hold (an inconclusive verdict) becomes what
// can never be taken for a pass.
package cucumber

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/meshfed/meshfed/reports"
)

// The fields of Cucumber JSON that readers rely on.
type jsonFeature struct {
	URI      string        `json:"uri"`
	ID       string        `json:"id"`
	Keyword  string        `json:"keyword"`
	Name     string        `json:"name"`
	Line     int           `json:"line"`
	Elements []jsonElement `json:"elements"`
}

type jsonElement struct {
	ID      string     `json:"id"`
	Keyword string     `json:"keyword"`
	Type    string     `json:"type"`
	Name    string     `json:"name"`
	Line    int        `json:"line"`
	Tags    []jsonTag  `json:"tags,omitempty"`
	Steps   []jsonStep `json:"steps"`
}

type jsonTag struct {
	Name string `json:"name"`
}

type jsonStep struct {
	Keyword string     `json:"keyword"`
	Name    string     `json:"name"`
	Line    int        `json:"line"`
	Result  jsonResult `json:"result"`
}

type jsonResult struct {
	Status string `json:"status"`
	Error  string `json:"error_message,omitempty"`
	// Nanoseconds, as the format has it.
	Duration int64 `json:"duration"`
}

// WriteJSON writes the report as Cucumber JSON.
func WriteJSON(w io.Writer, r reports.ConformanceReport) error {
	features := []jsonFeature{}
	index := map[string]int{}
	for _, s := range r.Scenarios {
		at, seen := index[s.File]
		if !seen {
			at = len(features)
			index[s.File] = at
			features = append(features, jsonFeature{
				URI: s.File, ID: strings.TrimSuffix(s.File, ".feature"), Keyword: "Feature", Name: s.Feature, Line: 1,
			})
		}
		features[at].Elements = append(features[at].Elements, element(s))
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(features); err != nil {
		return fmt.Errorf("write Cucumber JSON: %w", err)
	}
	return nil
}

func element(s reports.Scenario) jsonElement {
	e := jsonElement{ID: s.ID, Keyword: "Scenario", Type: "scenario", Name: s.Name, Line: s.Line, Steps: []jsonStep{}}
	for _, tag := range s.Tags {
		e.Tags = append(e.Tags, jsonTag{tag})
	}
	for _, step := range steps(s) {
		e.Steps = append(e.Steps, jsonStep{
			Keyword: step.Keyword + " ", Name: step.Text, Line: s.Line,
			Result: jsonResult{Status: jsonStatus(step.Status), Error: step.Error, Duration: nanoseconds(step.DurationSeconds)},
		})
	}
	return e
}

// steps are the scenario's, and one more if the verdict does not follow from
// them: the format knows no other place for it, and a reader who counts steps
// must not count a pass.
func steps(s reports.Scenario) []reports.Step {
	if s.Verdict == reports.Rejudge(reports.Scenario{Steps: s.Steps}) {
		return s.Steps
	}
	last := reports.Step{Keyword: "*", Text: "the verdict is " + string(s.Verdict), Status: reports.StepFailed, Error: s.Reason}
	switch s.Verdict {
	case reports.Passed:
		return s.Steps
	case reports.Skipped, reports.NotSupported, reports.KnownGap:
		last.Status = reports.StepSkipped
		// A known gap has failed steps, which would be news to a reader.
		return []reports.Step{last}
	case reports.Inconclusive:
		last.Status = reports.StepInconclusive
	}
	return append(append([]reports.Step{}, s.Steps...), last)
}

func jsonStatus(s reports.StepStatus) string {
	switch s {
	case reports.StepNotRun, reports.StepNotSupported:
		return "skipped"
	case reports.StepInconclusive:
		return "failed"
	}
	return string(s)
}

func nanoseconds(seconds float64) int64 {
	return time.Duration(seconds * float64(time.Second)).Nanoseconds()
}
