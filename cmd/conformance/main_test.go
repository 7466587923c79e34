package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
)

func execute(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	p, err := program()
	require.NoError(t, err)
	var o, e bytes.Buffer
	code = p.Main(args, &o, &e)
	return code, o.String(), e.String()
}

// A line of a script that does nothing must not look like one that is green.
func TestAMistypedLineIsBadInput(t *testing.T) {
	for line, want := range map[string]string{
		"rnu":                                `unknown command "rnu" for "conformance"; did you mean run? see conformance --help`,
		"rnu --tags @core":                   "unknown flag",
		"report verfy out/latest":            `unknown command "verfy" for "conformance report"; did you mean verify? see conformance report --help`,
		"lab dwn":                            "did you mean down?",
		"lab --lab x dwn":                    "did you mean down?",
		"debug bundel":                       "did you mean bundle?",
		"images bild":                        "did you mean build?",
		"completion bahs":                    "did you mean bash?",
		"help rnu":                           `unknown command "rnu" for "conformance"`,
		"help report verfy":                  `unknown command "verfy" for "conformance report"`,
		"load foo":                           "see conformance load --help",
		"mutants foo":                        "see conformance mutants --help",
		"report verify":                      "accepts 1 arg(s), received 0; see conformance report verify --help",
		"report compare one":                 "accepts 2 arg(s)",
		"report revocations":                 "at least 1 arg(s)",
		"why":                                "see conformance why --help",
		"lab exec c1":                        "see conformance lab exec --help",
		"lab up default":                     "see conformance lab up --help",
		"lab up --clusters 0":                "no clusters",
		"lab up --clusters many":             "--clusters",
		"lab up --lab A_B":                   `lab name "A_B"`,
		"lab bench --runs 0":                 "--runs 0",
		"lab kill c1 etdc":                   "want one of etcd, kube-apiserver",
		"doctor --provider nope":             `--provider "nope": there are: embedded, existing, kind`,
		"doctor --context x":                 "--context, --gateway and --image",
		"run --image bookinfo=r.example/b:1": "--context, --gateway and --image",
		"doctor --provider existing --context c1=x --image bookinfo=b":            "want REGISTRY/NAME:TAG",
		"doctor --provider existing --context c1=x --image reviews=r.example/b:1": "the images are bookinfo, federator",
		"run --provider existing --context c1=x --context c2=y --airgapped":       "--airgapped is of --provider kind",
		"doctor --provider existing --context c1=x --context c2=y --airgapped":    "--airgapped is of --provider kind",
		"why --run out/latest --lab x consume/a":                                  "[lab run] were all set; see conformance why --help",
		"why --run out/latest --in c2 consume/a":                                  "[in run] were all set",
		"why --run out/latest --user u consume/a":                                 "[run user] were all set",
		"why --run out/latest --from w consume/a":                                 "[from run] were all set",
		"why --run out/latest --provider kind consume/a":                          "[provider run] were all set",
		"lab logs --dir x c1":                                                     "--dir writes the logs of all clusters",
		"lab status --lab x":                                                      "--lab: status is of all labs",
		"lab bench --lab x":                                                       "--lab: bench makes labs of its own",
		"doctor --airgapped":                                                      "--airgapped is of --provider kind",
		"doctor foo":                                                              "see conformance doctor --help",
		"cleanup --provider nope":                                                 `--provider "nope": there are: kind`,
		"cleanup foo":                                                             "see conformance cleanup --help",
		"report verify no-such-run":                                               "no-such-run is no folder of a run: it has no journal.ndjson",
		"report compare . no-such-run":                                            ". is no folder of a run",
		"report revocations no-such-run":                                          "no-such-run is no folder of a run",
		"report check-submission no-such-run":                                     "no such file",
		"run --timeout -5s":                                                       "--timeout -5s: want a time to come",
		"run --timeout 0s":                                                        "--timeout 0s",
		"run --provider nope":                                                     `--provider "nope"`,
		"report verify . --key absent.pub":                                        "--key",
		"report seal . --sign-key absent.key":                                     "--sign-key",
		"report seal absent":                                                      "absent",
	} {
		t.Run(line, func(t *testing.T) {
			code, out, errs := execute(t, strings.Fields(line)...)
			assert.Equal(t, reports.ExitUsage, code)
			assert.Empty(t, out)
			assert.Contains(t, errs, want)
		})
	}
}

// What verify says of a run that was not sealed is a line for the shell, and
// after it verify has nothing to say any more.
func TestWhatVerifySaysOfARunWithoutASealSealsIt(t *testing.T) {
	folder, err := reports.CreateFolder(t.TempDir(), "run")
	require.NoError(t, err)
	journal, err := reports.CreateJournal(folder.Journal(), reports.Run{ID: "run", SuiteVersion: reports.Version()})
	require.NoError(t, err)
	require.NoError(t, journal.Close(reports.End{Finished: time.Now().UTC()}))
	code, _, errs := execute(t, "report", "verify", folder.Path)
	require.Equal(t, reports.ExitNonConformant, code, errs)
	_, line, found := strings.Cut(strings.TrimSpace(errs), "this seals it: conformance ")
	require.True(t, found, errs)
	code, out, errs := execute(t, strings.Fields(line)...)
	require.Equal(t, reports.ExitGreen, code, errs)
	assert.Contains(t, out, "sealed: ")
	code, _, errs = execute(t, "report", "verify", folder.Path)
	assert.Equal(t, reports.ExitGreen, code, errs)
}

// Both look at clusters that somebody has, by their contexts, as run does.
func TestWhatLooksAtALabLooksAtExistingClustersAndLeavesNothingHere(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "config"))
	require.NoError(t, os.WriteFile(os.Getenv("KUBECONFIG"), []byte(`{apiVersion: v1, kind: Config,
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}], users: [{name: u, user: {token: secret}}],
contexts: [{name: x, context: {cluster: c, user: u}}]}`), 0o600))
	out := filepath.Join(tmp, "bundle.tar.gz")
	for line, want := range map[string]int{
		"why --provider existing --context c1=x http://reviews:9080/":               reports.ExitInconclusive,
		"why --provider existing --context c1=y http://reviews:9080/":               reports.ExitInconclusive,
		"why --provider existing http://reviews:9080/":                              reports.ExitUsage,
		"why --run out/latest --context c1=x consume/a":                             reports.ExitUsage,
		"debug bundle --provider existing --context c1=x --output " + out:           reports.ExitGreen,
		"debug bundle --provider existing --context c1=x --gateway --output " + out: reports.ExitUsage,
	} {
		code, _, errs := execute(t, strings.Fields(line)...)
		assert.Equal(t, want, code, "%s: %s", line, errs)
		assert.NotContains(t, errs, "unknown flag", line)
	}
	left, err := filepath.Glob(filepath.Join(tmp, "meshfed-existing-*"))
	require.NoError(t, err)
	assert.Empty(t, left, "kubeconfigs, with what lets in")
}

// The table above cannot forget a command: what is not one is refused in all
// places where a command is expected, and help is had everywhere.
func TestEveryGroupRefusesWhatIsNoCommandAndHasHelp(t *testing.T) {
	p, err := program()
	require.NoError(t, err)
	groups := 0
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		path := strings.Fields(c.CommandPath())[1:]
		for _, sub := range c.Commands() {
			walk(sub)
		}
		code, out, errs := execute(t, append(path, "--help")...)
		assert.Equal(t, reports.ExitGreen, code, c.CommandPath())
		assert.Contains(t, out, "Usage:", c.CommandPath())
		assert.Empty(t, errs, c.CommandPath())
		if !c.HasSubCommands() {
			return
		}
		groups++
		code, out, _ = execute(t, path...)
		assert.Equal(t, reports.ExitGreen, code, c.CommandPath())
		assert.Contains(t, out, "Available Commands:", c.CommandPath())
		code, _, errs = execute(t, append(path, "no-such-command")...)
		assert.Equal(t, reports.ExitUsage, code, c.CommandPath())
		assert.Contains(t, errs, "see "+c.CommandPath()+" --help")
	}
	walk(p.Command())
	assert.GreaterOrEqual(t, groups, 5, "the program, report, lab, debug, images")
}

func TestHelpIsHadOfWhatIsThere(t *testing.T) {
	code, out, errs := execute(t, "help", "report", "verify")
	assert.Equal(t, reports.ExitGreen, code, errs)
	assert.Contains(t, out, "conformance report verify FOLDER")
}
