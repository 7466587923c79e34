package nodeimage

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKindsConfigurationIsChangedInThreePlaces(t *testing.T) {
	got, err := runtimeConfig("a\nrestrict_oom_score_adj = false\nsandbox_image = \"registry.k8s.io/pause:3.10\"\nSystemdCgroup = true\n")
	require.NoError(t, err)
	assert.Contains(t, got, "restrict_oom_score_adj = true")
	assert.Contains(t, got, `sandbox_image = "meshfed.local/pause:dev"`)
	assert.Contains(t, got, `conf_template = "/kind/cni.conflist.tmpl"`)
	assert.Contains(t, got, "SystemdCgroup = true")
	_, err = runtimeConfig("another kind's")
	require.Error(t, err, "a kind that has changed its file is not taken for this one")
}

func TestEveryContainerHasKindsHookAndNoLimits(t *testing.T) {
	got, err := withHook(`{"ociVersion":"1.1.0","process":{"args":["sh"],"rlimits":[{"type":"RLIMIT_NOFILE"}]}}`)
	require.NoError(t, err)
	var s struct {
		Process map[string]any
		Hooks   struct{ CreateContainer []struct{ Path string } }
	}
	require.NoError(t, json.Unmarshal([]byte(got), &s))
	assert.NotContains(t, s.Process, "rlimits")
	assert.Equal(t, "/kind/bin/mount-product-files.sh", s.Hooks.CreateContainer[0].Path)
	for _, bad := range []string{"", "{}", `{"process":3}`} {
		_, err := withHook(bad)
		assert.Error(t, err, bad)
	}
}

func TestAProgramOfKindsFilesCanBeRun(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	for _, name := range []string{"usr/local/bin/entrypoint", "kind/bin/hook.sh", "etc/crictl.yaml"} {
		require.NoError(t, put(from, name, []byte(name)))
		require.NoError(t, os.Chmod(filepath.Join(from, name), 0o444)) // as a module has it
	}
	require.NoError(t, copyNodeFiles(from, to))
	for name, mode := range map[string]os.FileMode{"usr/local/bin/entrypoint": 0o755, "kind/bin/hook.sh": 0o755, "etc/crictl.yaml": 0o644} {
		info, err := os.Stat(filepath.Join(to, name))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), name)
	}
}

func TestWhatMakesNoSenseInAContainerIsTakenAway(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{
		"etc/systemd/journald.conf", "etc/systemd/system/multi-user.target.wants/cron.service",
		"lib/systemd/system/basic.target.wants/x", "lib/systemd/system/sysinit.target.wants/y", "etc/machine-id",
	} {
		require.NoError(t, put(root, name, nil))
	}
	require.NoError(t, tidy(root))
	for _, gone := range []string{"etc/systemd/system/multi-user.target.wants/cron.service", "lib/systemd/system/basic.target.wants/x", "etc/machine-id"} {
		assert.NoFileExists(t, filepath.Join(root, gone))
	}
	assert.FileExists(t, filepath.Join(root, "lib/systemd/system/sysinit.target.wants/y"))
	journald, err := os.ReadFile(filepath.Join(root, "etc/systemd/journald.conf"))
	require.NoError(t, err)
	assert.Contains(t, string(journald), "ReadKMsg=no")
	require.NoError(t, enable(root, "kubelet"))
	target, err := os.Readlink(filepath.Join(root, "etc/systemd/system/multi-user.target.wants/kubelet.service"))
	require.NoError(t, err)
	assert.Equal(t, "/etc/systemd/system/kubelet.service", target)
	require.Error(t, tidy(t.TempDir()), "a folder without a system is not one")
}

func TestAnotherFileOfOurOwnIsAnotherImage(t *testing.T) {
	texts, err := ownFiles()
	require.NoError(t, err)
	assert.Contains(t, strings.Join(texts, "\n"), `"type": "ptp"`)
	assert.NotEqual(t, keyOf("a", "b"), keyOf("ab"))
}
