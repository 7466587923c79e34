package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator"
)

const seed = "../../federator/testdata/seed/c2.yaml"

func execute(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

func TestOfflineCommandsNeedNoCluster(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "absent"))
	code, out, errOut := execute(t, "validate", "-f", seed)
	assert.Zero(t, code, errOut)
	assert.Equal(t, "mesh c2: 2 peers, 2 exposures, 0 consumptions, all valid\n", out)

	code, out, errOut = execute(t, "render", "-f", seed)
	assert.Zero(t, code, errOut)
	assert.Contains(t, out, "kind: AuthorizationPolicy")

	code, out, errOut = execute(t, "crds")
	assert.Zero(t, code, errOut)
	assert.Contains(t, out, "name: exposures.federation.meshfed.io")
}

// Without the controller nobody withdraws what it has made: it goes last.
func TestTheManifestSaysInWhichOrderTheControllerIsTakenAway(t *testing.T) {
	code, out, errOut := execute(t, "manifest", "--help")
	assert.Zero(t, code, errOut)
	assert.Regexp(t, `(?s)kubectl delete meshes --all.*configmap/federator-inventory.*kubectl delete -f -.*cancel --controller-gone`, out)
	code, out, errOut = execute(t, "cancel", "--help")
	assert.Zero(t, code, errOut)
	assert.Contains(t, out, "--controller-gone")
}

// SAD PATHS
func TestBadUseEndsWithOneClearLineAndItsCode(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("apiVersion: v1\nkind: Mesh\n"), 0o600))
	absent := filepath.Join(dir, "absent")
	cases := map[string]struct {
		args []string
		code int
		want string
	}{
		"no file":           {[]string{"validate"}, exitError, `required flag(s) "filename" not set`},
		"missing file":      {[]string{"plan", "-f", absent}, exitError, "no such file"},
		"invalid":           {[]string{"validate", "-f", bad}, exitInvalid, `bad.yaml:1 (document 1): apiVersion: is "v1"`},
		"no kubeconfig":     {[]string{"plan", "-f", seed, "--kubeconfig", absent}, exitError, "read kubeconfig"},
		"unknown output":    {[]string{"plan", "-f", seed, "-o", "xml"}, exitError, "write text, yaml or json"},
		"unknown dry run":   {[]string{"apply", "-f", seed, "--dry-run", "maybe"}, exitError, "write none, client or server"},
		"unknown command":   {[]string{"aply"}, exitError, "unknown command"},
		"unknown shell":     {[]string{"completion", "bahs"}, exitError, "did you mean bash?"},
		"unknown topic":     {[]string{"help", "aply"}, exitError, "did you mean apply?"},
		"stray argument":    {[]string{"plan", "-f", seed, "x"}, exitError, "unknown command"},
		"unknown selection": {[]string{"cancel", "-f", seed, "--only", "x", "--kubeconfig", absent}, exitError, "kubeconfig"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := execute(t, c.args...)
			assert.Equal(t, c.code, code)
			assert.Empty(t, out)
			assert.Contains(t, errOut, "error: ")
			assert.Contains(t, errOut, c.want)
		})
	}
}

func TestEveryKindOfErrorHasItsExitCode(t *testing.T) {
	cases := map[int]error{
		exitDone:     nil,
		exitError:    errors.New("x"),
		exitChanges:  errChanges,
		exitConflict: fmt.Errorf("apply: %w", &federator.ConflictError{}),
		exitInvalid:  fmt.Errorf("load: %w", &federator.ValidationError{}),
		exitNotReady: fmt.Errorf("plan: %w", errors.Join(&federator.PreflightError{})),
	}
	for want, err := range cases {
		assert.Equal(t, want, exitCode(err), "%v", err)
	}
	both := errors.Join(&federator.PreflightError{}, &federator.ConflictError{})
	assert.Equal(t, exitConflict, exitCode(both), "a conflict needs a person first")
}

func TestEveryFormatHoldsThePlan(t *testing.T) {
	p := federator.Plan{Mesh: "c2", Effects: []federator.Effect{{Sentence: "peer c1 gains GET /x/"}},
		Conflicts: []*federator.ConflictError{{Reason: "kept by a finalizer"}}}
	for _, f := range []outputFormat{formatText, formatYAML, formatJSON} {
		var out bytes.Buffer
		require.NoError(t, write(&out, f, p, func(w *page) { w.plan(p, true) }))
		assert.Contains(t, out.String(), "peer c1 gains GET /x/", f)
		assert.Contains(t, out.String(), "kept by a finalizer", f)
	}
}
