package publish_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/publish"
)

const readme = "# Example mesh\n\n## Reproduce\n\n    conformance run --provider existing\n"

// submit makes a submission at that place below a temporary folder, of a run
// with that header and scenarios, signed and sealed.
func submit(t *testing.T, place string, run reports.Run, scenarios ...reports.Scenario) string {
	t.Helper()
	return submitEnded(t, place, run, reports.End{Finished: started.Add(time.Second)}, scenarios...)
}

// submitEnded is submit of a run that ended so.
func submitEnded(t *testing.T, place string, run reports.Run, end reports.End, scenarios ...reports.Scenario) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.FromSlash(place))
	require.NoError(t, os.MkdirAll(filepath.Join(path, "run"), 0o755))
	folder := reports.Folder{Path: filepath.Join(path, "run")}
	journal, err := reports.CreateJournal(folder.Journal(), run)
	require.NoError(t, err)
	for _, s := range scenarios {
		require.NoError(t, journal.Verdict(s))
	}
	require.NoError(t, journal.Close(end))
	write(t, folder)
	keys := filepath.Join(t.TempDir(), "key")
	require.NoError(t, publish.NewKey(keys))
	private, err := publish.ReadKey(keys)
	require.NoError(t, err)
	require.NoError(t, publish.Seal(t.Context(), folder, private))
	public, err := os.ReadFile(keys + ".pub")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(path, "key.pub"), public, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(path, "README.md"), []byte(readme), 0o644))
	return path
}

const rightPlace = "v1alpha1/example-mesh/v1.4.0"

// lone is the header of a run of one scenario.
func lone() reports.Run {
	run := header("run")
	run.Selection.Scenarios = 1
	return run
}

func corePass() reports.Scenario {
	return reports.Scenario{
		ID: "expose/a", File: "expose.feature", Verdict: reports.Passed, Tags: []string{"@core"},
		Steps: []reports.Step{{Keyword: "Given", Text: "it holds", Status: reports.StepPassed}},
	}
}

func TestASubmissionByTheRulesIsValid(t *testing.T) {
	faults, err := publish.CheckSubmission(t.Context(), submit(t, rightPlace, lone(), corePass()), "")
	require.NoError(t, err)
	assert.Empty(t, faults)
}

func TestEachRuleOfSubmissionsIsChecked(t *testing.T) {
	failed := corePass()
	failed.Verdict, failed.Reason, failed.Steps[0].Status = reports.Failed, "x", reports.StepFailed
	with := func(change func(*reports.Run)) reports.Run {
		run := lone()
		change(&run)
		return run
	}
	for name, c := range map[string]struct {
		place    string
		run      reports.Run
		scenario reports.Scenario
		want     string
	}{
		"API version":     {"v1/example-mesh/v1.4.0", lone(), corePass(), `want the report's API version, "v1alpha1"`},
		"name of folder":  {"v1alpha1/Example_Mesh/v1.4.0", lone(), corePass(), `"example-mesh"`},
		"version folder":  {"v1alpha1/example-mesh/v1.4.1", lone(), corePass(), `want the implementation's version, "v1.4.0"`},
		"a branch":        {"v1alpha1/example-mesh/main", with(func(r *reports.Run) { r.Implementation.Version = "main" }), corePass(), "never a branch"},
		"no organization": {rightPlace, with(func(r *reports.Run) { r.Implementation.Organization = "" }), corePass(), "both are needed"},
		"no URL":          {rightPlace, with(func(r *reports.Run) { r.Implementation.URL = "example.org" }), corePass(), "want an https URL"},
		"no contact":      {rightPlace, with(func(r *reports.Run) { r.Implementation.Contact = nil }), corePass(), "contact"},
		"a part only":     {rightPlace, with(func(r *reports.Run) { r.Selection.Tags = "@acl" }), corePass(), "only a part"},
		"not conformant":  {rightPlace, lone(), failed, "profile core is a failure: expose/a"},
	} {
		t.Run(name, func(t *testing.T) {
			faults, err := publish.CheckSubmission(t.Context(), submit(t, c.place, c.run, c.scenario), "")
			require.NoError(t, err)
			assert.Contains(t, strings.Join(faults, "\n"), c.want)
		})
	}
}

func TestARunThatIsNotCompleteIsNoSubmission(t *testing.T) {
	more := lone()
	more.Selection.Scenarios = 123
	for name, c := range map[string]struct {
		end  reports.End
		want string
	}{
		"verdicts are missing": {reports.End{Finished: started}, "it says that it ended, but 1 of 123 scenarios have a verdict"},
		"interrupted":          {reports.End{Finished: started, Interrupted: true}, "the run is not complete: interrupted; 1 of 123 scenarios have a verdict"},
		"killed":               {reports.End{}, "the run is not complete: the run did not end; 1 of 123 scenarios have a verdict"},
	} {
		t.Run(name, func(t *testing.T) {
			faults, err := publish.CheckSubmission(t.Context(), submitEnded(t, rightPlace, more, c.end, corePass()), "")
			require.NoError(t, err)
			require.Len(t, faults, 1)
			assert.Contains(t, faults[0], c.want)
		})
	}
}

func TestWhatIsBesideTheReportIsCheckedToo(t *testing.T) {
	for name, c := range map[string]struct{ file, content, want string }{
		"no way to reproduce": {"README.md", "# Example\n", `want a section "## Reproduce"`},
		"a stray file":        {"notes.txt", "x", "notes.txt: only README.md"},
		"a changed report":    {"run/report.yaml", "x", "report.yaml has been changed"},
		"another key":         {"key.pub", "x", "no PEM block"},
	} {
		t.Run(name, func(t *testing.T) {
			path := submit(t, rightPlace, lone(), corePass())
			require.NoError(t, os.WriteFile(filepath.Join(path, filepath.FromSlash(c.file)), []byte(c.content), 0o644))
			faults, err := publish.CheckSubmission(t.Context(), path, "")
			require.NoError(t, err)
			assert.Contains(t, strings.Join(faults, "\n"), c.want)
		})
	}
	_, err := publish.CheckSubmission(t.Context(), filepath.Join(t.TempDir(), "none"), "")
	assert.Error(t, err)
}
