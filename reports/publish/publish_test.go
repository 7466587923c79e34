package publish_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"math/rand/v2"
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

var started = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func header(id string) reports.Run {
	return reports.Run{
		ID: id, Provider: "embedded", SuiteVersion: reports.Version(), Started: started,
		Implementation: reports.Implementation{
			Name: "builtin", Organization: "example", Project: "mesh", URL: "https://example.org", Version: "v1.4.0",
			Contact: []string{"@example/mesh"},
		},
		Topology:  reports.Topology{Lab: "lab", Clusters: []string{"c1", "c2"}},
		Selection: reports.Selection{Scenarios: 2}, Timeouts: reports.Timeouts{Scenario: 60},
	}
}

// play leaves a run's folder as the suite does: a pass and a failure with
// evidence, journaled, written, not sealed yet.
func play(t *testing.T) reports.Folder {
	t.Helper()
	folder, err := reports.CreateFolder(t.TempDir(), "run")
	require.NoError(t, err)
	journal, err := reports.CreateJournal(folder.Journal(), header("run"))
	require.NoError(t, err)
	evidence := []byte("GET /bookinfo: 403 <rbac>\n")
	require.NoError(t, os.MkdirAll(folder.Evidence("expose/b"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(folder.Evidence("expose/b"), "requests.txt"), evidence, 0o644))
	sum := sha256.Sum256(evidence)
	figures := reports.Figures{}
	require.NoError(t, figures.Add(reports.Revocation("cancel", reports.NewConnection, 400, []float64{10, 200})))
	for _, s := range []reports.Scenario{
		{
			ID: "expose/a", Feature: "Expose", Name: "A", File: "expose.feature", Line: 3, Verdict: reports.Passed, Tags: []string{"@core"},
			Steps: []reports.Step{{Keyword: "Given", Text: "it holds", Status: reports.StepPassed}}, Figures: figures,
		},
		{
			ID: "expose/b", Feature: "Expose", Name: "B", File: "expose.feature", Line: 9, Verdict: reports.Failed, Tags: []string{"@core"},
			Reason:   "it holds: got 200, want 403",
			Steps:    []reports.Step{{Keyword: "Given", Text: "it holds", Status: reports.StepFailed, Error: "got 200, want 403"}},
			Evidence: []reports.EvidenceFile{{Path: "evidence/expose/b/requests.txt", SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(evidence))}},
		},
	} {
		require.NoError(t, journal.Verdict(s))
	}
	require.NoError(t, journal.Close(reports.End{Finished: started.Add(time.Second)}))
	write(t, folder)
	return folder
}

func write(t *testing.T, folder reports.Folder) {
	t.Helper()
	r, err := reports.Rebuild(folder.Journal())
	require.NoError(t, err)
	require.NoError(t, publish.Write(folder, r))
}

// key is a fresh key and its public half.
func key(t *testing.T) (ed25519.PrivateKey, ed25519.PublicKey) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, publish.NewKey(path))
	private, err := publish.ReadKey(path)
	require.NoError(t, err)
	public, err := publish.ReadPublicKey(path + ".pub")
	require.NoError(t, err)
	return private, public
}

func files(t *testing.T, folder reports.Folder) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(folder.Path, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	}))
	return names
}

func TestAnUntouchedRunIsVerified(t *testing.T) {
	private, public := key(t)
	for want, c := range map[publish.Signature]struct {
		sign    ed25519.PrivateKey
		trusted ed25519.PublicKey
	}{
		publish.Unsigned:   {},
		publish.SelfSigned: {sign: private},
		publish.Trusted:    {sign: private, trusted: public},
	} {
		folder := play(t)
		require.NoError(t, publish.Seal(t.Context(), folder, c.sign))
		latest := filepath.Join(filepath.Dir(folder.Path), "latest")
		v, err := publish.Verify(t.Context(), latest, c.trusted)
		require.NoError(t, err)
		assert.Equal(t, want, v.Signature)
		assert.Equal(t, 2, v.Verdicts)
		assert.Equal(t, reports.Failed, v.Report.Scenarios[1].Verdict)
	}
}

// One changed byte anywhere fails: each byte of the manifest and its envelope,
// and bytes all over every other file.
func TestOneChangedByteAnywhereIsFound(t *testing.T) {
	private, public := key(t)
	folder := play(t)
	require.NoError(t, publish.Seal(t.Context(), folder, private))
	random := rand.New(rand.NewPCG(1, 1))
	for _, path := range files(t, folder) {
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		step := 1
		if base := filepath.Base(path); base != publish.ManifestFile && base != publish.EnvelopeFile {
			step = max(1, len(whole)/20)
		}
		for at := 0; at < len(whole); at += step {
			changed := bytes.Clone(whole)
			changed[at] ^= byte(1 + random.IntN(255))
			require.NoError(t, os.WriteFile(path, changed, 0o644))
			for _, trusted := range []ed25519.PublicKey{nil, public} {
				_, err := publish.Verify(t.Context(), folder.Path, trusted)
				require.Error(t, err, "%s, byte %d: %q to %q", filepath.Base(path), at, whole[at], changed[at])
			}
		}
		require.NoError(t, os.WriteFile(path, whole, 0o644))
	}
	_, err := publish.Verify(t.Context(), folder.Path, public)
	require.NoError(t, err, "with every byte put back")
}

func TestAFileAddedOrTakenAwayIsFound(t *testing.T) {
	folder := play(t)
	require.NoError(t, publish.Seal(t.Context(), folder, nil))
	extra := filepath.Join(folder.Path, "extra")
	require.NoError(t, os.WriteFile(extra, nil, 0o644))
	_, err := publish.Verify(t.Context(), folder.Path, nil)
	require.ErrorContains(t, err, "extra is not in the manifest")
	require.NoError(t, os.Remove(extra))
	require.NoError(t, os.Symlink("journal.ndjson", extra))
	_, err = publish.Verify(t.Context(), folder.Path, nil)
	require.ErrorContains(t, err, "no regular file")
	require.NoError(t, os.Remove(extra))
	require.NoError(t, os.Remove(filepath.Join(folder.Path, reports.JUnitFile)))
	_, err = publish.Verify(t.Context(), folder.Path, nil)
	require.ErrorContains(t, err, "junit.xml is missing")
}

// Nothing of what is there is wrong: it is what is not there.
func TestARunThatEndedWithoutAllItsVerdictsIsNotVerified(t *testing.T) {
	folder := play(t)
	content, err := os.ReadFile(folder.Journal())
	require.NoError(t, err)
	lines := strings.SplitAfter(string(content), "\n")
	require.NoError(t, os.WriteFile(folder.Journal(), []byte(lines[0]+lines[1]+lines[3]), 0o644))
	write(t, folder)
	private, public := key(t)
	require.NoError(t, publish.Seal(t.Context(), folder, private))
	_, err = publish.Verify(t.Context(), folder.Path, public)
	require.ErrorContains(t, err, "it says that it ended, but 1 of 2 scenarios have a verdict")
	// One that does not claim to have ended says so itself.
	require.NoError(t, os.WriteFile(folder.Journal(), []byte(lines[0]+lines[1]), 0o644))
	write(t, folder)
	require.NoError(t, publish.Seal(t.Context(), folder, private))
	v, err := publish.Verify(t.Context(), folder.Path, public)
	require.NoError(t, err)
	assert.Equal(t, "INCONCLUSIVE", v.Report.Headline())
	assert.Contains(t, v.Report.Line(), "the run did not end; 1 of 2 scenarios have a verdict")
}

// Somebody who changes the record and seals it again has right digests, and
// still the verdict has to follow from the record, and every file from it.
func TestAForgeryThatIsSealedAgainIsFoundByWhatItSays(t *testing.T) {
	for name, c := range map[string]struct {
		file, old, new, want string
		rewrite              bool
	}{
		"a verdict":            {reports.JournalFile, `"verdict":"failed"`, `"verdict":"passed"`, "its verdict is passed, but from its record follows failed", true},
		"a report file":        {reports.JUnitFile, `failures="1"`, `failures="0"`, "it does not say what the journal says", false},
		"the page":             {publish.HTMLFile, "NOT CONFORMANT", "CONFORMANT", "it does not say what the journal says", false},
		"a figure":             {reports.JournalFile, `"p99Millis":200`, `"p99Millis":100`, "from its record follows failed", true},
		"the evidence":         {"evidence/expose/b/requests.txt", "403", "404", "is not what it was when the verdict fell", true},
		"a count":              {reports.YAMLFile, "failed: 1", "failed: 0", "it does not say what the journal says", false},
		"the name of the run":  {reports.JournalFile, `"id":"run"`, `"id":"rum"`, `the journal of "rum"`, true},
		"a field of their own": {reports.JournalFile, `"line":3`, `"line":3,"by":"me"`, "unknown field", false},
	} {
		t.Run(name, func(t *testing.T) {
			folder := play(t)
			path := filepath.Join(folder.Path, filepath.FromSlash(c.file))
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			changed := strings.Replace(string(content), c.old, c.new, 1)
			require.NotEqual(t, string(content), changed)
			require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
			if c.rewrite {
				write(t, folder)
			}
			require.NoError(t, publish.Seal(t.Context(), folder, nil))
			_, err = publish.Verify(t.Context(), folder.Path, nil)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// A file whose writer has changed since is no forgery, and the version that made
// the run is the one that can tell.
func TestAnotherVersionIsNamedBesideWhatItWritesOtherwise(t *testing.T) {
	folder := play(t)
	content, err := os.ReadFile(folder.Journal())
	require.NoError(t, err)
	earlier := strings.Replace(string(content), `"suiteVersion":"`+reports.Version()+`"`, `"suiteVersion":"v0.0.9"`, 1)
	require.NotEqual(t, string(content), earlier)
	require.NoError(t, os.WriteFile(folder.Journal(), []byte(earlier), 0o644))
	_, err = publish.Finish(t.Context(), folder, nil)
	require.ErrorContains(t, err, "the run is of conformance v0.0.9 and this is "+reports.Version(), "who verifies it by what it says would fail")
	write(t, folder)
	require.NoError(t, os.WriteFile(filepath.Join(folder.Path, reports.JUnitFile), []byte("<other/>"), 0o644))
	require.NoError(t, publish.Seal(t.Context(), folder, nil))
	_, err = publish.Verify(t.Context(), folder.Path, nil)
	require.ErrorContains(t, err, "junit.xml: it does not say what the journal says: the run is of conformance v0.0.9 and this is "+reports.Version())

	folder = play(t)
	require.NoError(t, os.WriteFile(filepath.Join(folder.Path, reports.JUnitFile), []byte("<other/>"), 0o644))
	require.NoError(t, publish.Seal(t.Context(), folder, nil))
	_, err = publish.Verify(t.Context(), folder.Path, nil)
	require.ErrorContains(t, err, "junit.xml: it does not say what the journal says")
	require.NotContains(t, err.Error(), "conformance", "of one version there is nothing to say")
}

// A run that plays each scenario ten times, and has two attempts, has not shown
// what it says.
func TestAPassNeedsAsManyAttemptsAsTheRunWanted(t *testing.T) {
	for made, want := range map[int]string{0: "0 attempts, want 3", 2: "2 attempts, want 3", 3: ""} {
		run := lone()
		run.Repeat = 3
		one := corePass()
		for range made {
			one.Attempts = append(one.Attempts, reports.Attempt{Verdict: reports.Passed})
		}
		path := submit(t, rightPlace, run, one)
		_, err := publish.Verify(t.Context(), filepath.Join(path, "run"), nil)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
}

func TestOnlyTheGivenKeyIsTrusted(t *testing.T) {
	private, _ := key(t)
	_, other := key(t)
	folder := play(t)
	require.NoError(t, publish.Seal(t.Context(), folder, private))
	_, err := publish.Verify(t.Context(), folder.Path, other)
	require.Error(t, err)
	require.NoError(t, publish.Seal(t.Context(), folder, nil))
	_, err = publish.Verify(t.Context(), folder.Path, other)
	require.ErrorContains(t, err, "want a signed run")
}

// A run can be killed behind its end, or find the disk full there. Nobody can go
// on with it any more, but all that it has to say is in its journal.
func TestARunThatWasNotSealedSaysHowToGoOn(t *testing.T) {
	private, public := key(t)
	ended := play(t)
	require.NoError(t, os.Remove(filepath.Join(ended.Path, reports.JUnitFile)))
	_, err := publish.Verify(t.Context(), ended.Path, nil)
	require.ErrorContains(t, err, "conformance report seal "+ended.Path)
	require.NotContains(t, err.Error(), "--resume", "it would be refused")
	_, err = publish.Finish(t.Context(), ended, private)
	require.NoError(t, err)
	v, err := publish.Verify(t.Context(), ended.Path, public)
	require.NoError(t, err)
	assert.Equal(t, 2, v.Verdicts)

	cut := play(t)
	content, err := os.ReadFile(cut.Journal())
	require.NoError(t, err)
	lines := strings.SplitAfter(string(content), "\n")
	require.NoError(t, os.WriteFile(cut.Journal(), []byte(lines[0]+lines[1]), 0o644))
	_, err = publish.Verify(t.Context(), cut.Path, nil)
	require.ErrorContains(t, err, "conformance run --resume run goes on with it")
	live, _, err := reports.ContinueJournal(cut.Journal(), started)
	require.NoError(t, err)
	before := files(t, cut)
	_, err = publish.Finish(t.Context(), cut, private)
	require.ErrorContains(t, err, "its run is still going")
	assert.Equal(t, before, files(t, cut))
	require.NoError(t, live.Close(reports.End{Finished: started, Interrupted: true}))
	_, err = publish.Finish(t.Context(), cut, private)
	require.NoError(t, err)
	_, err = publish.Verify(t.Context(), cut.Path, public)
	require.NoError(t, err)
}

// Whoever verifies a run by its key would find that it is not signed any more.
func TestASignatureIsNotTakenAwayBySealingAgain(t *testing.T) {
	private, public := key(t)
	folder := play(t)
	require.NoError(t, publish.Seal(t.Context(), folder, private))
	require.NoError(t, publish.StaysSigned(folder, private))
	require.ErrorContains(t, publish.StaysSigned(folder, nil), "--sign-key")
	_, err := publish.Finish(t.Context(), folder, nil)
	require.ErrorContains(t, err, "--sign-key")
	_, err = publish.Verify(t.Context(), folder.Path, public)
	require.NoError(t, err)
	unsigned := play(t)
	require.NoError(t, publish.StaysSigned(unsigned, nil))
	require.NoError(t, publish.Seal(t.Context(), unsigned, nil))
	require.NoError(t, publish.StaysSigned(unsigned, nil))
}

func TestAKeyIsForItsOwnerOnlyAndNeverOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, publish.NewKey(path))
	require.Error(t, publish.NewKey(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, os.Chmod(path, 0o644))
	_, err = publish.ReadKey(path)
	require.ErrorContains(t, err, "can be read by others")
	_, err = publish.ReadPublicKey(path)
	assert.ErrorContains(t, err, `no PEM block of type "PUBLIC KEY"`)
}

// A public key that belongs to no private one would be published, and no run
// could ever be verified with it.
func TestNoHalfOfAKeyIsLeftBehind(t *testing.T) {
	for name, c := range map[string]struct{ there, want string }{
		"a private key is there": {"key", "key exists already"},
		"a public key is there":  {"key.pub", "key.pub exists already"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, c.there), []byte("mine"), 0o600))
			require.ErrorContains(t, publish.NewKey(filepath.Join(dir, "key")), c.want)
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, left, 1, "nothing was added")
			content, err := os.ReadFile(filepath.Join(dir, c.there))
			require.NoError(t, err)
			assert.Equal(t, "mine", string(content))
		})
	}
	t.Run("the public key cannot be written", func(t *testing.T) {
		dir := t.TempDir()
		// As long as a name may be, so that none is left for the suffix.
		path := filepath.Join(dir, strings.Repeat("k", 255))
		require.Error(t, publish.NewKey(path))
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, left)
	})
}

func TestTheSummaryShowsOnlyWhatHasToBeLookedAtAndNoMarkupOfOthers(t *testing.T) {
	folder := play(t)
	content, err := os.ReadFile(filepath.Join(folder.Path, publish.MarkdownFile))
	require.NoError(t, err)
	text := string(content)
	assert.True(t, strings.HasPrefix(text, "## Conformance of builtin v1.4.0: NOT CONFORMANT"), text)
	assert.Contains(t, text, "| failed | `expose/b` | it holds: got 200, want 403 |")
	assert.NotContains(t, text, "expose/a")
	assert.Contains(t, text, "- revocation by cancel, new connections: last accepted after p50 10 ms, p99 200 ms")
	var out bytes.Buffer
	hostile := reports.Assemble(header("run"), []reports.Scenario{{ID: "x", Verdict: reports.Failed, Reason: "<img> | [a](b) @all"}}, reports.End{})
	require.NoError(t, publish.WriteMarkdown(&out, hostile))
	assert.Contains(t, out.String(), `&lt;img&gt; \| \[a\](b) &#64;all`)
}

func TestABadgeIsGreenOnlyForASuccess(t *testing.T) {
	const green = "#2e7d32"
	passed := reports.Scenario{ID: "a", Verdict: reports.Passed, Tags: []string{"@core"}}
	one, partly := header("run"), header("run")
	one.Selection.Scenarios = 1
	partly.Selection = reports.Selection{Tags: "@core", Scenarios: 1}
	ended := reports.End{Finished: started}
	for name, c := range map[string]struct {
		report reports.ConformanceReport
		want   string
	}{
		"success":    {reports.Assemble(one, []reports.Scenario{passed}, ended), green},
		"missing":    {reports.Assemble(header("run"), []reports.Scenario{passed}, ended), "#b26a00"},
		"partial":    {reports.Assemble(partly, []reports.Scenario{passed}, ended), "#b26a00"},
		"failure":    {reports.Assemble(header("run"), []reports.Scenario{passed, {ID: "b", Verdict: reports.Failed, Tags: []string{"@core"}}}, ended), "#c62828"},
		"no verdict": {reports.Assemble(header("run"), nil, reports.End{SetupError: "x"}), "#616161"},
	} {
		var out bytes.Buffer
		require.NoError(t, publish.WriteBadge(&out, c.report))
		assert.Contains(t, out.String(), c.want, name)
	}
}
