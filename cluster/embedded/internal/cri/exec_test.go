package cri_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

type execResult struct {
	stdout, stderr string
	code           int32
}

func (b *box) exec(cmd ...string) execResult {
	b.t.Helper()
	resp, err := b.runtime.ExecSync(b.t.Context(), &runtimeapi.ExecSyncRequest{ContainerId: b.id, Cmd: cmd, Timeout: 15})
	require.NoError(b.t, err)
	return execResult{string(resp.Stdout), string(resp.Stderr), resp.ExitCode}
}

// pid is the container's first process as the node numbers it.
func (b *box) pid() int {
	b.t.Helper()
	resp, err := b.runtime.ContainerStatus(b.t.Context(), &runtimeapi.ContainerStatusRequest{ContainerId: b.id, Verbose: true})
	require.NoError(b.t, err)
	var info struct{ Pid int }
	require.NoError(b.t, json.Unmarshal([]byte(resp.Info["info"]), &info))
	return info.Pid
}

func TestExecSyncReturnsOutputAndExitCode(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("wait"))
	assert.Equal(t, execResult{stdout: "to stdout\n", stderr: "to stderr\n"}, b.exec("payload", "both"))
	assert.Equal(t, int32(5), b.exec("payload", "exit", "5").code)
}

func TestAnExecutedCommandIsInsideTheContainer(t *testing.T) {
	n := startNode(t)
	config := containerConfig("wait")
	config.WorkingDir = "/data"
	security(config).RunAsUsername, security(config).NoNewPrivs = "envoy", true
	b := n.run(config)
	var d map[string]string
	require.NoError(t, json.Unmarshal([]byte(b.exec("payload", "self").stdout), &d))
	assert.Equal(t, "pod-host", d["hostname"])
	assert.Equal(t, "/data", d["cwd"])
	assert.Equal(t, "1337\t1337\t1337\t1337", d["Uid"])
	assert.Equal(t, "1338 2000", d["Groups"])
	assert.Equal(t, "1", d["NoNewPrivs"])
	assert.Equal(t, "0000000000000000", d["CapEff"])
	assert.NotEqual(t, "1", d["Pid"])
	pids := numbers(b.exec("payload", "ls", "/proc").stdout)
	assert.Len(t, pids, 2, "the container's process and this one: %v", pids)
	assert.Contains(t, b.exec("payload", "env").stdout, "KEPT=image\n")
	assert.ElementsMatch(t, []string{"bin", "data", "dev", "etc", "proc", "sys", "tmp"}, strings.Fields(b.exec("payload", "ls", "/").stdout))
}

func TestAnExecutedCommandThatHangsIsKilledInTime(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("wait"))
	begin := time.Now()
	_, err := n.runtime.ExecSync(t.Context(), &runtimeapi.ExecSyncRequest{ContainerId: b.id, Cmd: []string{"payload", "ignore"}, Timeout: 1})
	assert.Equal(t, codes.DeadlineExceeded, status.Code(err), "kubelet takes this code for a failed probe")
	assert.ErrorContains(t, err, "timeout 1s exceeded")
	assert.Less(t, time.Since(begin), patience)
	assert.Len(t, numbers(b.exec("payload", "ls", "/proc").stdout), 2, "it is gone")
}

func TestExecFailuresAreExplained(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("wait"))
	ctx := t.Context()
	_, err := n.runtime.ExecSync(ctx, &runtimeapi.ExecSyncRequest{ContainerId: b.id, Cmd: []string{"nosuch"}})
	assert.ErrorContains(t, err, `exec: "nosuch": executable file not found in $PATH`)
	_, err = n.runtime.ExecSync(ctx, &runtimeapi.ExecSyncRequest{ContainerId: b.id})
	assert.ErrorContains(t, err, "no command")
	_, err = n.runtime.ExecSync(ctx, &runtimeapi.ExecSyncRequest{ContainerId: "nosuch", Cmd: []string{"payload"}})
	assert.Equal(t, codes.NotFound, status.Code(err))
	ended := n.run(containerConfig("exit", "0"))
	ended.exit()
	_, err = n.runtime.ExecSync(ctx, &runtimeapi.ExecSyncRequest{ContainerId: ended.id, Cmd: []string{"payload"}})
	assert.ErrorContains(t, err, "is not running")
}

func TestALargeOutputIsReturnedWhole(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("wait"))
	assert.Len(t, b.exec("payload", "long", strconv.Itoa(1<<20)).stdout, 1<<20+1)
}

func TestExecsRunInParallel(t *testing.T) {
	n := startNode(t)
	b := n.run(containerConfig("wait"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	results := make(chan error)
	for i := range 20 {
		go func() {
			want := strconv.Itoa(i)
			resp, err := n.runtime.ExecSync(ctx, &runtimeapi.ExecSyncRequest{ContainerId: b.id, Cmd: []string{"payload", "echo", want}})
			if err == nil {
				assert.Equal(t, want+"\n", string(resp.Stdout))
			}
			results <- err
		}()
	}
	for range 20 {
		assert.NoError(t, <-results)
	}
}
