package cri_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/image"
)

// The environment that opts in to Kubernetes' own tests for container runtimes.
// critest is built by
//
//	cd cluster/embedded/tools/critools && go test -c -o critest sigs.k8s.io/cri-tools/cmd/critest
//
// and busybox is any static one: it stands for the images that critest expects
// in registries.
const (
	critestPath = "MESHFED_CRITEST"
	busyboxPath = "MESHFED_BUSYBOX"
)

// critestSkips are the specs that cannot pass, by a part of their names, with
// the reason. Whatever is not listed must pass.
func critestSkips() map[string]string {
	const (
		noCgroups  = "nothing limits memory: there are no cgroups"
		noHost     = "refused on purpose: a pod sees nothing of its node"
		noSeccomp  = "there are no seccomp filters; written profiles are refused"
		noApplet   = "a busybox shell may run ls without the masked file; another test shows that masks work"
		noDownload = "nothing is downloaded, so a pull takes less than the spec's millisecond"
	)
	return map[string]string{
		"should terminate with exitCode 137 and reason OOMKilled":                       noCgroups,
		"runtime should support MaskedPaths":                                            noApplet,
		"runtime should support HostPID":                                                noHost,
		"runtime should support HostIpc is true":                                        noHost,
		"should support port mapping with host port and container port":                 noHost,
		"should support seccomp localhost profile on the container":                     noSeccomp,
		"should support seccomp default on the container":                               noSeccomp,
		"should support an seccomp profile that blocks setting hostname with SYS_ADMIN": noSeccomp,
		"should ignore a seccomp profile that blocks setting hostname when privileged":  noSeccomp,
		"public image should timeout if requested":                                      noDownload,
		"benchmark": "critest leaves its benchmarks out by itself unless they are asked for",
	}
}

func TestKubernetesOwnRuntimeTestsPass(t *testing.T) {
	if os.Getenv(critestPath) == "" || os.Getenv(busyboxPath) == "" {
		t.Skipf("opt in with %s=<critest> and %s=<a static busybox>", critestPath, busyboxPath)
	}
	images := critestImages(t)
	store, err := image.OpenDir(images)
	require.NoError(t, err)
	var socket string
	startNode(t, func(c *cri.Config) {
		c.Images, c.AllowHostNetwork, socket = store, true, c.Socket
	})
	report := filepath.Join(t.TempDir(), "junit.xml")
	var skips []string
	for name := range critestSkips() {
		skips = append(skips, regexp.QuoteMeta(name))
	}
	slices.Sort(skips)
	args := []string{"-runtime-endpoint=unix://" + socket, "-image-endpoint=unix://" + socket, "-ginkgo.junit-report=" + report, "-ginkgo.no-color"}
	if len(skips) > 0 {
		args = append(args, "-ginkgo.skip="+strings.Join(skips, "|"))
	}
	cmd := exec.CommandContext(t.Context(), os.Getenv(critestPath), args...)
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err)
	checkReport(t, report, string(out))
}

// checkReport names what failed and what critest itself left out.
func checkReport(t *testing.T, path, output string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err, output)
	var report struct {
		Suites []struct {
			Cases []struct {
				Name    string `xml:"name,attr"`
				Status  string `xml:"status,attr"`
				Skipped *struct {
					Message string `xml:"message,attr"`
				} `xml:"skipped"`
				Failure *struct {
					Text string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(raw, &report))
	counts := map[string]int{}
	for _, s := range report.Suites {
		for _, c := range s.Cases {
			if !strings.HasPrefix(c.Name, "[It]") {
				continue
			}
			counts[c.Status]++
			if c.Failure != nil {
				assert.Fail(t, c.Name, c.Failure.Text)
			}
			if c.Skipped != nil {
				t.Log(c.Status, c.Name, c.Skipped.Message, reasonOf(c.Name))
			}
		}
	}
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		t.Log(status, counts[status])
	}
	assert.GreaterOrEqual(t, counts["passed"], 70, "too few specs ran to mean anything")
}

func reasonOf(spec string) string {
	for name, reason := range critestSkips() {
		if strings.Contains(spec, name) {
			return reason
		}
	}
	return ""
}

// critestImages makes the images that critest asks for, all of one busybox.
func critestImages(t *testing.T) string {
	t.Helper()
	const registry = "gcr.io/k8s-staging-cri-tools/"
	shell := []string{"sh"}
	dir := t.TempDir()
	for i, desc := range []map[string]any{
		{"names": []string{"registry.k8s.io/e2e-test-images/busybox:1.29-2"}, "cmd": shell},
		{"names": []string{"registry.k8s.io/e2e-test-images/nginx:1.14-2"}, "entrypoint": []string{"httpd", "-f", "-p", "80", "-h", "/www", "-r", "master process"}},
		{"names": []string{"registry.k8s.io/e2e-test-images/httpd:2.4.39-4"}, "entrypoint": []string{"sh", "-c", "echo httpd; exec httpd -f -p 80 -h /www"}},
		{"names": []string{"registry.k8s.io/e2e-test-images/nonewprivs:1.3"}, "entrypoint": []string{"suid", "euid"}},
		{"names": []string{"registry.k8s.io/pause:3.9", "k8s.gcr.io/pause:3.9"}, "entrypoint": []string{"sleep", "1000"}},
		{"names": []string{registry + "test-image-digest@sha256:9700f9a2f5bf2c45f2f605a0bd3bce7cf37420ec9d3ed50ac2758413308766bf"}, "cmd": shell},
		{"names": []string{registry + "hostnet-nginx-amd64"}, "entrypoint": []string{"httpd", "-f", "-p", "12003", "-h", "/www"}},
		{"names": []string{registry + "test-image-user-uid"}, "user": "1002", "cmd": shell},
		{"names": []string{registry + "test-image-user-username"}, "user": "www-data", "cmd": shell},
		{"names": []string{registry + "test-image-user-uid-group"}, "user": "1003:1004", "cmd": shell},
		{"names": []string{registry + "test-image-user-username-group"}, "user": "www-data:100", "cmd": shell},
		{"names": []string{registry + "test-image-predefined-group"}, "user": "1000", "cmd": shell},
		{"names": []string{registry + "test-image-latest"}, "cmd": shell},
		{"names": []string{registry + "test-image-tag:test"}, "cmd": shell},
		{"names": []string{registry + "test-image-tag:all"}, "cmd": shell},
		{"names": []string{registry + "test-image-1:latest"}, "cmd": shell},
		{"names": []string{registry + "test-image-2:latest"}, "cmd": shell},
		{"names": []string{registry + "test-image-3:latest"}, "cmd": shell},
		{"names": []string{registry + "test-image-tags:1", registry + "test-image-tags:2", registry + "test-image-tags:3"}, "cmd": shell},
	} {
		writeBusybox(t, filepath.Join(dir, fmt.Sprintf("%02d", i)), desc)
	}
	return dir
}

func writeBusybox(t *testing.T, dir string, description map[string]any) {
	t.Helper()
	rootfs := filepath.Join(dir, "rootfs")
	for _, d := range []string{"bin", "etc", "root", "home", "var", "www"} {
		require.NoError(t, os.MkdirAll(filepath.Join(rootfs, d), 0o755))
	}
	require.NoError(t, os.Mkdir(filepath.Join(rootfs, "tmp"), 0o777))
	require.NoError(t, os.Chmod(filepath.Join(rootfs, "tmp"), 0o1777))
	binary, err := os.ReadFile(os.Getenv(busyboxPath))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(rootfs, "bin", "busybox"), binary, 0o755))
	applets, err := exec.CommandContext(t.Context(), os.Getenv(busyboxPath), "--list").Output()
	require.NoError(t, err)
	for _, a := range strings.Fields(string(applets)) {
		if a != "busybox" {
			// Hard links: a mask over one applet must not hide all.
			require.NoError(t, os.Link(filepath.Join(rootfs, "bin", "busybox"), filepath.Join(rootfs, "bin", a)))
		}
	}
	suid := filepath.Join(rootfs, "bin", "suid")
	payload, err := os.ReadFile(os.Getenv(payloadPath))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(suid, payload, 0o755))
	require.NoError(t, os.Chmod(suid, 0o755|os.ModeSetuid))
	// Small builds of busybox lack some that critest calls.
	for name, script := range map[string]string{
		"bin/pgrep": "ps -o pid,comm | grep -w \"$1\"",
		"bin/ipcs":  "cat /proc/sysvipc/shm",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(rootfs, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	for name, content := range map[string]string{
		"etc/passwd":     "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\ndefault-user:x:1000:1000::/home/default-user:/bin/sh\n",
		"etc/group":      "root:x:0:\nwww-data:x:33:\nusers:x:100:\ndefault-user:x:1000:\ngroup-defined-in-image:x:50000:default-user\n",
		"www/index.html": "httpd\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(rootfs, name), []byte(content), 0o644))
	}
	raw, err := json.Marshal(description)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "image.json"), raw, 0o644))
}
