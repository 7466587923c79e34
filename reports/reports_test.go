package reports_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var started = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func aRun() reports.Run {
	return reports.Run{
		ID:             "20260102-030405",
		Implementation: reports.Implementation{Name: "builtin", Version: "v0.1.0"},
		SuiteVersion:   "v0.1.0",
		Provider:       "embedded",
		Topology:       reports.Topology{Lab: "lab", Clusters: []string{"c1", "c2"}},
		Versions:       map[string]string{"c1/kubernetes": "v1.36.3", "c2/kubernetes": "v1.36.3"},
		Capabilities:   []string{"acl", "expose"},
		Environment:    reports.Environment{OS: "linux", Arch: "amd64", CPUs: 2, Go: "go1.26.0"},
		Selection:      reports.Selection{Tags: "@core", Scenarios: 7},
		Seed:           42,
		Started:        started,
	}
}

func scenario(id string, v reports.Verdict, reason string) reports.Scenario {
	s := reports.Scenario{
		ID: "expose/" + id, Feature: "Expose", Rule: "Nothing by default", Name: "It holds: " + id,
		Tags: []string{"@core"}, File: "expose.feature", Line: 12, Verdict: v, Reason: reason, DurationSeconds: 1.25,
	}
	step := func(status reports.StepStatus) {
		s.Steps = append(s.Steps, reports.Step{Keyword: "Given", Text: "it holds", Status: status, Error: reason, DurationSeconds: 1})
	}
	switch v {
	case reports.Passed:
		step(reports.StepPassed)
	case reports.Failed, reports.KnownGap:
		step(reports.StepFailed)
	case reports.Skipped:
		step(reports.StepSkipped)
	case reports.Inconclusive:
		step(reports.StepInconclusive)
	case reports.NotSupported:
		s.Faults = []reports.Fault{{Kind: reports.FaultCapability, Text: reason}}
	case reports.Flaky:
		s.Attempts = []reports.Attempt{{Verdict: reports.Passed}, {Verdict: reports.Failed, Reason: reason}}
	}
	if v == reports.KnownGap {
		s.Tags = append(s.Tags, "@known-gap=envoy-keeps-what-it-has-verified")
	}
	return s
}

func allVerdicts() []reports.Scenario {
	failed := scenario("b", reports.Failed, "got 200 <from c2>\x00, want RBAC 403\nsecond line: yes")
	failed.Evidence = []reports.EvidenceFile{{Path: "evidence/expose/b/gateway.log", SHA256: strings.Repeat("0", 64), Bytes: 12}}
	gap := scenario("f", reports.KnownGap, reports.Revocation("a list", reports.LiveHTTP1, 2000, []float64{9998}).Holds().Error())
	gap.File = "consume.feature"
	return []reports.Scenario{
		scenario("a", reports.Passed, ""), failed,
		scenario("c", reports.Skipped, "no third mesh here"),
		scenario("d", reports.NotSupported, `capability "acl" is not declared`),
		scenario("e", reports.Inconclusive, "c2: API server does not answer"), gap,
		scenario("g", reports.Flaky, "1 of 2 attempts passed"),
	}
}

func ended() reports.End { return reports.End{Finished: started.Add(7500 * time.Millisecond)} }

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run with -update to make it")
	assert.Equal(t, string(want), string(got))
}

func TestWritersMatchTheirGoldenFiles(t *testing.T) {
	writers := map[string]func(io.Writer, reports.ConformanceReport) error{
		"yaml": reports.WriteYAML, "json": reports.WriteJSON, "xml": reports.WriteJUnit, "txt": reports.WriteTable,
	}
	cases := map[string]reports.ConformanceReport{
		"all":     reports.Assemble(aRun(), allVerdicts(), ended()),
		"noSetup": reports.Assemble(aRun(), nil, reports.End{Finished: started, SetupError: "c2: istiod: exit status 1"}),
	}
	for name, report := range cases {
		for ext, write := range writers {
			t.Run(name+"."+ext, func(t *testing.T) {
				var got bytes.Buffer
				require.NoError(t, write(&got, report))
				golden(t, name+"."+ext, got.Bytes())
			})
		}
	}
}

func TestTheTableEndsWithTheWholeReasonOfWhatIsNotGreen(t *testing.T) {
	long := "cut from the row, " + strings.Repeat("as it is long, ", 20) + "and told below it"
	endless := strings.Repeat("line\n", 500) + "its end"
	for v, told := range map[reports.Verdict]bool{
		reports.Failed: true, reports.Inconclusive: true, reports.Flaky: true,
		reports.Skipped: false, reports.NotSupported: false,
	} {
		var out bytes.Buffer
		require.NoError(t, reports.WriteTable(&out, reports.Assemble(aRun(), []reports.Scenario{scenario("x", v, long)}, ended())))
		assert.Equal(t, told, strings.Contains(out.String(), long), v)

		out.Reset()
		require.NoError(t, reports.WriteTable(&out, reports.Assemble(aRun(), []reports.Scenario{scenario("x", v, endless)}, ended())))
		assert.Less(t, strings.Count(out.String(), "\n"), 20, "%s: one reason does not push the others out of sight", v)
	}
}

func TestJUnitIsWellFormedWhateverABackendAnswered(t *testing.T) {
	for _, reason := range []string{"\x00\x01", "]]>", "<&\"'", "\xff\xfe", "\u001b[31mred", "a\uFFFEb"} {
		var out bytes.Buffer
		report := reports.Assemble(aRun(), []reports.Scenario{scenario("x", reports.Failed, reason+"!")}, ended())
		require.NoError(t, reports.WriteJUnit(&out, report))
		var any struct{}
		assert.NoError(t, xml.Unmarshal(out.Bytes(), &any), "reason %q", reason)
	}
}

func TestJUnitOfARunThatDiedIsNeverGreen(t *testing.T) {
	for name, end := range map[string]reports.End{
		"set-up died": {Finished: started, SetupError: "no lab"},
		"interrupted": {Finished: started, Interrupted: true},
		"killed":      {},
	} {
		var out bytes.Buffer
		require.NoError(t, reports.WriteJUnit(&out, reports.Assemble(aRun(), nil, end)))
		assert.Contains(t, out.String(), `errors="1"`, name)
	}
}

func TestExitCodesAreThePromisedOnes(t *testing.T) {
	passed, failed := scenario("a", reports.Passed, ""), scenario("b", reports.Failed, "x")
	died := scenario("c", reports.Inconclusive, "x")
	for name, c := range map[string]struct {
		scenarios []reports.Scenario
		end       reports.End
		want      int
	}{
		"all passed":                     {[]reports.Scenario{passed}, ended(), 0},
		"known gap beside a pass":        {[]reports.Scenario{passed, scenario("g", reports.KnownGap, "x")}, ended(), 0},
		"not supported beside a pass":    {[]reports.Scenario{passed, scenario("n", reports.NotSupported, "x")}, ended(), 0},
		"one failed":                     {[]reports.Scenario{passed, failed}, ended(), 1},
		"flaky":                          {[]reports.Scenario{passed, scenario("f", reports.Flaky, "x")}, ended(), 1},
		"failed outweighs inconclusive":  {[]reports.Scenario{failed, died}, ended(), 1},
		"environment died":               {[]reports.Scenario{passed, died}, ended(), 3},
		"only skips decide nothing":      {[]reports.Scenario{scenario("s", reports.Skipped, "x")}, ended(), 3},
		"only known gaps decide nothing": {[]reports.Scenario{scenario("g", reports.KnownGap, "x")}, ended(), 3},
		"no verdict at all":              {nil, ended(), 3},
		"set-up failed":                  {nil, reports.End{Finished: started, SetupError: "x"}, 3},
		"killed":                         {[]reports.Scenario{passed}, reports.End{}, 3},
		"interrupted":                    {[]reports.Scenario{failed}, reports.End{Finished: started, Interrupted: true}, 130},
	} {
		t.Run(name, func(t *testing.T) {
			run := aRun()
			run.Selection.Scenarios = max(1, len(c.scenarios))
			assert.Equal(t, c.want, reports.Assemble(run, c.scenarios, c.end).ExitCode())
		})
	}
}

// A record that says it ends is not believed: what was selected counts, not
// what is there.
func TestARunWithoutAllItsVerdictsIsNotComplete(t *testing.T) {
	passed := []reports.Scenario{scenario("a", reports.Passed, "")}
	for name, c := range map[string]struct {
		selected  int
		scenarios []reports.Scenario
		end       reports.End
		want      string
		exit      int
	}{
		"all there":         {1, passed, ended(), "", reports.ExitGreen},
		"some missing":      {123, passed, ended(), "1 of 123 scenarios have a verdict", reports.ExitInconclusive},
		"none there":        {123, nil, ended(), "0 of 123 scenarios have a verdict", reports.ExitInconclusive},
		"more than chosen":  {0, passed, ended(), "1 of 0 scenarios have a verdict", reports.ExitInconclusive},
		"a failure is one":  {123, []reports.Scenario{scenario("b", reports.Failed, "x")}, ended(), "1 of 123 scenarios have a verdict", reports.ExitNonConformant},
		"interrupted":       {123, passed, reports.End{Finished: started, Interrupted: true}, "interrupted; 1 of 123 scenarios have a verdict", reports.ExitInterrupted},
		"killed":            {123, passed, reports.End{}, "the run did not end; 1 of 123 scenarios have a verdict", reports.ExitInconclusive},
		"set-up died":       {123, nil, reports.End{Finished: started, SetupError: "x"}, "set-up failed: x", reports.ExitInconclusive},
		"repeated, and all": {1, []reports.Scenario{attempted()}, ended(), "", reports.ExitGreen},
	} {
		t.Run(name, func(t *testing.T) {
			run := aRun()
			run.Selection = reports.Selection{Scenarios: c.selected}
			r := reports.Assemble(run, c.scenarios, c.end)
			assert.Equal(t, c.want, r.Incomplete())
			assert.Equal(t, c.exit, r.ExitCode())
			assert.Equal(t, c.want == "", r.Conformant())
			var junit bytes.Buffer
			require.NoError(t, reports.WriteJUnit(&junit, r))
			assert.Equal(t, c.want == "", !strings.Contains(junit.String(), "the run comes to its end"))
			assert.LessOrEqual(t, strings.Count(r.Line(), "have a verdict"), 1, r.Line())
		})
	}
}

// attempted is a scenario that was played three times.
func attempted() reports.Scenario {
	s := scenario("a", reports.Passed, "")
	s.Attempts = []reports.Attempt{{Verdict: reports.Passed}, {Verdict: reports.Passed}, {Verdict: reports.Passed}}
	return s
}

func journal(t *testing.T, scenarios []reports.Scenario) (path string, content []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), reports.JournalFile)
	j, err := reports.CreateJournal(path, aRun())
	require.NoError(t, err)
	for _, s := range scenarios {
		require.NoError(t, j.Verdict(s))
	}
	require.NoError(t, j.Close(ended()))
	content, err = os.ReadFile(path)
	require.NoError(t, err)
	return path, content
}

func TestReportRebuiltFromTheJournalEqualsTheRun(t *testing.T) {
	path, _ := journal(t, allVerdicts())
	got, err := reports.Rebuild(path)
	require.NoError(t, err)
	assert.Equal(t, reports.Assemble(aRun(), allVerdicts(), ended()), got)
}

// A kill may tear the journal at any byte. At each of them every verdict whose
// line was complete must survive, and the run must not look finished.
func TestNoFinishedVerdictIsLostWhereverTheJournalIsTorn(t *testing.T) {
	path, content := journal(t, allVerdicts())
	firstLine := bytes.IndexByte(content, '\n') + 1
	for size := firstLine; size < len(content); size++ {
		require.NoError(t, os.WriteFile(path, content[:size], 0o644))
		got, err := reports.Rebuild(path)
		require.NoError(t, err, "torn at byte %d", size)
		require.Len(t, got.Scenarios, min(bytes.Count(content[:size], []byte("\n"))-1, 7), "torn at byte %d", size)
		require.NotEqual(t, reports.ExitGreen, got.ExitCode(), "torn at byte %d", size)
	}
}

func TestDamagedJournalIsRefusedWithItsLine(t *testing.T) {
	_, content := journal(t, allVerdicts()[:2])
	run := content[:bytes.IndexByte(content, '\n')+1]
	for name, c := range map[string]struct{ content, want string }{
		"empty":           {"", "no record of the run"},
		"no run first":    {`{"scenario":{"id":"x","verdict":"passed"}}` + "\n", "line 1"},
		"unknown verdict": {string(run) + `{"scenario":{"id":"x","verdict":"fine"}}` + "\n", `verdict "fine"`},
		"no reason":       {string(run) + `{"scenario":{"id":"x","verdict":"failed"}}` + "\n", "without a reason"},
		"not JSON inside": {string(run) + "?\n" + string(run), "line 2"},
		"two runs":        {string(run) + string(run), "line 2"},
		"two verdicts":    {string(content) + `{"scenario":{"id":"expose/a","verdict":"passed"}}` + "\n", "a second verdict"},
		"two in a line":   {string(run) + `{"end":{}} {"scenario":{"id":"x","verdict":"passed"}}` + "\n", "line 2: something follows the record"},
		"two in a record": {string(run) + `{"end":{},"scenario":{"id":"x","verdict":"passed"}}` + "\n", "line 2: want exactly one"},
		"unknown field":   {string(run) + `{"scenario":{"id":"x","verdict":"passed","by":"me"}}` + "\n", "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "j")
			require.NoError(t, os.WriteFile(path, []byte(c.content), 0o644))
			_, err := reports.Rebuild(path)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestJournalRefusesWhatCannotStandInAReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := reports.CreateJournal(path, aRun())
	require.NoError(t, err)
	assert.ErrorContains(t, j.Verdict(scenario("a", reports.Failed, "")), "without a reason")
	assert.ErrorContains(t, j.Verdict(scenario("a", "green", "")), `verdict "green"`)
	_, err = reports.CreateJournal(path, aRun())
	assert.ErrorContains(t, err, "exists", "two runs must never share a journal")
	require.NoError(t, j.Close(ended()))
}

func TestLatestFollowsAndNoTemporaryFileIsLeft(t *testing.T) {
	out := t.TempDir()
	for _, id := range []string{"run-1", "run-2"} {
		folder, err := reports.CreateFolder(out, id)
		require.NoError(t, err)
		require.NoError(t, folder.WriteFile("a", []byte("x")))
		target, err := os.Readlink(filepath.Join(out, "latest"))
		require.NoError(t, err)
		assert.Equal(t, id, target)
		assert.Equal(t, id, reports.Folder{Path: filepath.Join(out, "latest")}.ID())
	}
	left, err := os.ReadDir(filepath.Join(out, "run-2"))
	require.NoError(t, err)
	assert.Len(t, left, 1, "temporary files")
}

func TestFolderRefusesToShareOrOverwrite(t *testing.T) {
	out := t.TempDir()
	_, err := reports.CreateFolder(out, "run")
	require.NoError(t, err)
	_, err = reports.CreateFolder(out, "run")
	require.Error(t, err)
	other := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(other, "latest"), 0o755))
	_, err = reports.CreateFolder(other, "run")
	require.ErrorContains(t, err, "no symbolic link")
}

func TestARunThatGoesOnKeepsWhatStandsAndPlaysTheRestAgain(t *testing.T) {
	path, content := journal(t, allVerdicts())
	torn := content[:bytes.LastIndex(content, []byte(`{"end"`))]
	require.NoError(t, os.WriteFile(path, append(torn, `{"scen`...), 0o644))
	j, before, err := reports.ContinueJournal(path, started)
	require.NoError(t, err)
	assert.Len(t, before.Scenarios, 7)
	require.NoError(t, errors.Join(j.Verdict(scenario("e", reports.Passed, "")), j.Close(ended())))
	after, err := reports.Rebuild(path)
	require.NoError(t, err)
	assert.Equal(t, 2, after.Summary.Passed)
	assert.Zero(t, after.Summary.Inconclusive)
	assert.Equal(t, []time.Time{started}, after.Resumed)
}

func TestNoRunGoesOnAfterItsEndOrToChangeAVerdict(t *testing.T) {
	path, content := journal(t, allVerdicts())
	_, _, err := reports.ContinueJournal(path, started)
	require.ErrorContains(t, err, "has come to its end")
	require.NoError(t, os.WriteFile(path, content[:bytes.LastIndex(content, []byte(`{"end"`))], 0o644))
	j, _, err := reports.ContinueJournal(path, started)
	require.NoError(t, err)
	require.NoError(t, errors.Join(j.Verdict(scenario("b", reports.Passed, "")), j.Close(ended())))
	_, err = reports.Rebuild(path)
	assert.ErrorContains(t, err, "scenario expose/b: a second verdict: it was failed")
}

func TestAProfileIsASuccessOnlyIfAllOfItHasPassed(t *testing.T) {
	extended := func(v reports.Verdict) reports.Scenario {
		s := scenario("x"+string(v), v, "x")
		s.Tags = []string{"@extended"}
		return s
	}
	beyond := extended(reports.NotSupported)
	beyond.Faults, beyond.Steps = nil, []reports.Step{{Keyword: "When", Text: "it is asked for", Status: reports.StepNotSupported, Error: "x"}}
	core := beyond
	core.Tags = []string{"@core"}
	all := reports.Selection{Scenarios: 1}
	for name, c := range map[string]struct {
		scenario  reports.Scenario
		selection reports.Selection
		end       reports.End
		want      reports.ProfileResult
	}{
		"passed":                   {scenario("a", reports.Passed, ""), all, ended(), reports.Success},
		"failed":                   {scenario("a", reports.Failed, "x"), all, ended(), reports.Failure},
		"flaky":                    {scenario("a", reports.Flaky, "x"), all, ended(), reports.Failure},
		"skipped":                  {scenario("a", reports.Skipped, "x"), all, ended(), reports.Partial},
		"known gap":                {scenario("a", reports.KnownGap, "x"), all, ended(), reports.Partial},
		"core is not optional":     {scenario("a", reports.NotSupported, "x"), all, ended(), reports.Partial},
		"extended is":              {extended(reports.NotSupported), all, ended(), reports.Success},
		"declared, and beyond":     {beyond, all, ended(), reports.Partial},
		"core, and beyond":         {core, all, ended(), reports.Partial},
		"some of the scenarios":    {scenario("a", reports.Passed, ""), reports.Selection{Tags: "@core", Scenarios: 1}, ended(), reports.Partial},
		"verdicts are missing":     {scenario("a", reports.Passed, ""), reports.Selection{Scenarios: 123}, ended(), reports.Partial},
		"a run that did not end":   {scenario("a", reports.Passed, ""), all, reports.End{}, reports.Partial},
		"failed before it was cut": {scenario("a", reports.Failed, "x"), all, reports.End{}, reports.Failure},
	} {
		run := aRun()
		run.Selection = c.selection
		report := reports.Assemble(run, []reports.Scenario{c.scenario}, c.end)
		require.Len(t, report.Profiles, 1, name)
		assert.Equal(t, c.want, report.Profiles[0].Result, name)
	}
}

func TestWilsonsIntervalDoesNotCollapse(t *testing.T) {
	low, high := reports.Wilson(10, 10)
	assert.InDelta(t, 0.7225, low, 1e-4)
	assert.InDelta(t, 1, high, 1e-12)
	low, high = reports.Wilson(0, 0)
	assert.Equal(t, []float64{0, 1}, []float64{low, high})
}
