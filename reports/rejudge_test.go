package reports_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meshfed/meshfed/reports"
)

func TestTheVerdictFollowsFromWhatIsRecorded(t *testing.T) {
	step := func(statuses ...reports.StepStatus) (all []reports.Step) {
		for _, s := range statuses {
			all = append(all, reports.Step{Text: "x", Status: s})
		}
		return all
	}
	fault := func(kinds ...reports.FaultKind) (all []reports.Fault) {
		for _, k := range kinds {
			all = append(all, reports.Fault{Kind: k})
		}
		return all
	}
	attempts := func(verdicts ...reports.Verdict) (all []reports.Attempt) {
		for _, v := range verdicts {
			all = append(all, reports.Attempt{Verdict: v})
		}
		return all
	}
	gap := []string{"@known-gap=envoy-keeps-what-it-has-verified"}
	says := func(lines ...string) []reports.Step {
		return []reports.Step{{Text: "x", Status: reports.StepFailed, Error: strings.Join(lines, "\n")}}
	}
	on := func(kind reports.Connection) string {
		return reports.Revocation("the list", kind, 400, []float64{9998}).Holds().Error()
	}
	open := says(on(reports.LiveHTTP1), on(reports.LiveHTTP2))
	principal := []string{"@known-gap=istio-renders-authenticated-principal"}
	const (
		allowed = "another mesh's name first (SPIFFE 2): want denied by policy; got: another mesh's name first [nonce X]: allowed by reviews v2 of c2 (reviews-v2-0) (HTTP 200)"
		seen    = "it was refused, and yet ratings v1 of c2 saw GET /ratings/0 for ratings:9080"
	)
	leak := reports.Figures{TruthTables: []reports.TruthTable{aTable(cell(reports.Refused, reports.Granted, 1))}}
	invalid := reports.Figures{Loads: []reports.LoadFigure{aLoad(2, "")}}
	passed := step(reports.StepPassed)
	for name, c := range map[string]struct {
		scenario reports.Scenario
		want     reports.Verdict
	}{
		"all passed":                   {reports.Scenario{Steps: passed}, reports.Passed},
		"no steps":                     {reports.Scenario{}, reports.Failed},
		"first that did not pass wins": {reports.Scenario{Steps: step(reports.StepPassed, reports.StepSkipped, reports.StepFailed)}, reports.Skipped},
		"undefined":                    {reports.Scenario{Steps: step(reports.StepUndefined)}, reports.Failed},
		"pending":                      {reports.Scenario{Steps: step(reports.StepPending)}, reports.Failed},
		"not run":                      {reports.Scenario{Steps: step(reports.StepPassed, reports.StepNotRun)}, reports.Failed},
		"harness's fault":              {reports.Scenario{Steps: step(reports.StepInconclusive, reports.StepNotRun)}, reports.Inconclusive},
		"not declared":                 {reports.Scenario{Faults: fault(reports.FaultCapability)}, reports.NotSupported},
		"beyond the repertoire":        {reports.Scenario{Steps: step(reports.StepPassed, reports.StepNotSupported, reports.StepNotRun)}, reports.NotSupported},
		"failed before it was asked":   {reports.Scenario{Steps: step(reports.StepFailed, reports.StepNotSupported)}, reports.Failed},
		"beyond, left something":       {reports.Scenario{Steps: step(reports.StepNotSupported), Faults: fault(reports.FaultCleanUp)}, reports.Failed},
		"beyond, a known gap":          {reports.Scenario{Steps: step(reports.StepNotSupported), Tags: gap}, reports.NotSupported},
		"beyond now and then":          {reports.Scenario{Attempts: attempts(reports.NotSupported, reports.Passed)}, reports.Flaky},
		"given up before":              {reports.Scenario{Faults: fault(reports.FaultNotRun)}, reports.Inconclusive},
		"set-up":                       {reports.Scenario{Faults: fault(reports.FaultSetUp)}, reports.Inconclusive},
		"a hook failed":                {reports.Scenario{Steps: passed, Faults: fault(reports.FaultScenario)}, reports.Failed},
		"left something":               {reports.Scenario{Steps: passed, Faults: fault(reports.FaultCleanUp)}, reports.Failed},
		"skipped, left something":      {reports.Scenario{Steps: step(reports.StepSkipped), Faults: fault(reports.FaultCleanUp)}, reports.Failed},
		"inconclusive, left something": {reports.Scenario{Steps: step(reports.StepInconclusive), Faults: fault(reports.FaultCleanUp)}, reports.Inconclusive},
		"died after a failure":         {reports.Scenario{Steps: step(reports.StepFailed), Faults: fault(reports.FaultEnvironment)}, reports.Inconclusive},
		"interrupted":                  {reports.Scenario{Steps: step(reports.StepFailed), Faults: fault(reports.FaultInterrupted)}, reports.Inconclusive},
		"figures contradict":           {reports.Scenario{Steps: passed, Figures: leak}, reports.Failed},
		"load is invalid":              {reports.Scenario{Steps: passed, Figures: invalid}, reports.Inconclusive},
		"known gap":                    {reports.Scenario{Steps: open, Tags: gap}, reports.KnownGap},
		"more than the gap":            {reports.Scenario{Steps: says(on(reports.NewConnection), on(reports.LiveHTTP1)), Tags: gap}, reports.Failed},
		"none of the gap":              {reports.Scenario{Steps: says(on(reports.ResumedConnection)), Tags: gap}, reports.Failed},
		"a gap that says nothing":      {reports.Scenario{Steps: step(reports.StepUndefined), Tags: gap}, reports.Failed},
		"another issue's gap":          {reports.Scenario{Steps: open, Tags: principal}, reports.Failed},
		"an issue nobody wrote down":   {reports.Scenario{Steps: open, Tags: []string{"@known-gap=istio-1"}}, reports.Failed},
		"gap, and what follows":        {reports.Scenario{Steps: says(allowed, seen), Tags: principal}, reports.KnownGap},
		"what follows, and no gap":     {reports.Scenario{Steps: says(seen), Tags: principal}, reports.Failed},
		"gap, and a hook failed":       {reports.Scenario{Steps: open, Tags: gap, Faults: fault(reports.FaultScenario)}, reports.Failed},
		"known gap that closed":        {reports.Scenario{Steps: passed, Tags: gap}, reports.Failed},
		"closed, left something":       {reports.Scenario{Steps: passed, Tags: gap, Faults: fault(reports.FaultCleanUp)}, reports.Failed},
		"open, left something":         {reports.Scenario{Steps: open, Tags: gap, Faults: fault(reports.FaultCleanUp)}, reports.Failed},
		"known gap, died":              {reports.Scenario{Steps: open, Tags: gap, Faults: fault(reports.FaultEnvironment)}, reports.Inconclusive},
		"always passed":                {reports.Scenario{Steps: passed, Attempts: attempts(reports.Passed, reports.Passed)}, reports.Passed},
		"passed, says who did not":     {reports.Scenario{Steps: step(reports.StepFailed), Attempts: attempts(reports.Passed, reports.Passed)}, reports.Failed},
		"passed, and figures say no":   {reports.Scenario{Steps: passed, Figures: leak, Attempts: attempts(reports.Passed, reports.Passed)}, reports.Failed},
		"failed once of three":         {reports.Scenario{Attempts: attempts(reports.Passed, reports.Failed, reports.Passed)}, reports.Flaky},
		"passed, then died":            {reports.Scenario{Attempts: attempts(reports.Passed, reports.Inconclusive)}, reports.Inconclusive},
		"failed, then died":            {reports.Scenario{Attempts: attempts(reports.Failed, reports.Inconclusive)}, reports.Failed},
		"skipped now and then":         {reports.Scenario{Attempts: attempts(reports.Skipped, reports.Passed)}, reports.Flaky},
		"gap open now and then":        {reports.Scenario{Attempts: attempts(reports.KnownGap, reports.Failed)}, reports.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			c.scenario.Verdict = "must not be looked at"
			assert.Equal(t, c.want, reports.Rejudge(c.scenario))
		})
	}
}
