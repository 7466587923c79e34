package cucumber_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"testing"
	"time"

	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/cucumber"
)

var started = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// one is a report of one scenario: a step that ended so, and that verdict.
func one(v reports.Verdict, status reports.StepStatus, tags ...string) reports.ConformanceReport {
	s := reports.Scenario{
		ID: "expose/a", Feature: "Expose", File: "expose.feature", Line: 3, Name: "A", Verdict: v, Reason: "why", DurationSeconds: 1.5,
		Tags: tags, Steps: []reports.Step{{Keyword: "Given", Text: "it holds", Status: status, DurationSeconds: 0.25}},
	}
	return reports.Assemble(reports.Run{Started: started}, []reports.Scenario{s}, reports.End{Finished: started.Add(time.Minute)})
}

// The words a reader of the JSON sees of the steps, per verdict: what is not a
// pass has at least one step that is none.
func TestInCucumberJSONNothingButAPassIsAllPassed(t *testing.T) {
	for name, c := range map[string]struct {
		report reports.ConformanceReport
		want   []string
	}{
		"passed":              {one(reports.Passed, reports.StepPassed), []string{"passed"}},
		"failed":              {one(reports.Failed, reports.StepFailed), []string{"failed"}},
		"skipped":             {one(reports.Skipped, reports.StepSkipped), []string{"skipped"}},
		"clean-up failed":     {one(reports.Failed, reports.StepPassed), []string{"passed", "failed"}},
		"environment died":    {one(reports.Inconclusive, reports.StepFailed), []string{"failed", "failed"}},
		"not supported":       {one(reports.NotSupported, reports.StepNotRun), []string{"skipped"}},
		"a gap that is known": {one(reports.KnownGap, reports.StepFailed), []string{"skipped"}},
		"flaky":               {one(reports.Flaky, reports.StepPassed), []string{"passed", "failed"}},
	} {
		var out bytes.Buffer
		require.NoError(t, cucumber.WriteJSON(&out, c.report))
		var features []struct {
			URI      string
			Elements []struct {
				Steps []struct {
					Result struct {
						Status   string
						Duration int64
					}
				}
			}
		}
		require.NoError(t, json.Unmarshal(out.Bytes(), &features), name)
		require.Len(t, features, 1)
		var got []string
		for _, s := range features[0].Elements[0].Steps {
			got = append(got, s.Result.Status)
		}
		assert.Equal(t, c.want, got, name)
	}
}

func TestMessagesAreAStreamThatRefersOnlyToWhatCameBefore(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, cucumber.WriteMessages(&out, one(reports.Inconclusive, reports.StepPassed, "@core")))
	known := map[string]bool{}
	var kinds []string
	lines := bufio.NewScanner(&out)
	for lines.Scan() {
		var e messages.Envelope
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(&e))
		switch {
		case e.Meta != nil:
			kinds = append(kinds, "meta")
		case e.Pickle != nil:
			kinds = append(kinds, "pickle")
			known[e.Pickle.Id] = true
			for _, s := range e.Pickle.Steps {
				known[s.Id] = true
			}
		case e.TestCase != nil:
			kinds = append(kinds, "case")
			assert.True(t, known[e.TestCase.PickleId])
			known[e.TestCase.Id] = true
			for _, s := range e.TestCase.TestSteps {
				assert.True(t, known[s.PickleStepId])
				known[s.Id] = true
			}
		case e.TestCaseStarted != nil:
			assert.True(t, known[e.TestCaseStarted.TestCaseId])
			known[e.TestCaseStarted.Id] = true
		case e.TestStepFinished != nil:
			kinds = append(kinds, string(e.TestStepFinished.TestStepResult.Status))
			assert.True(t, known[e.TestStepFinished.TestStepId] && known[e.TestStepFinished.TestCaseStartedId])
		case e.TestRunFinished != nil:
			kinds = append(kinds, "end")
			assert.False(t, e.TestRunFinished.Success)
		}
	}
	assert.Equal(t, []string{"meta", "pickle", "case", "PASSED", "UNKNOWN", "end"}, kinds)
}
