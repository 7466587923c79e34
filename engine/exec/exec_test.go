package exec_test

import (
	"encoding/json"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/exec"
)

const capable = `{"result":"done","version":"v7","capabilities":["expose","acl"]}`

// program writes a shell program that answers capabilities as given and runs
// rest for every other operation, with the request in $request.
func program(t *testing.T, capabilities, rest string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "engine")
	text := fmt.Sprintf("#!/bin/sh\nrequest=$(cat)\ncase $request in *'\"capabilities\"'*) echo '%s';; *) %s;; esac\n", capabilities, rest)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
	return path
}

// place is a cluster in name only.
type place struct{ cluster.Cluster }

func (place) Name() string       { return "c1" }
func (place) Kubeconfig() string { return "/kube/c1" }

func TestAProgramGetsTheWholeRequestAndItsClaimsAreTaken(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "seen")
	path := program(t, capable, fmt.Sprintf(`printf %%s "$request" > %s; echo "{\"result\":\"done\"}"`, seen))
	e, err := exec.Open(t.Context(), path, 0)
	require.NoError(t, err)
	assert.Equal(t, "exec:engine", e.Name())
	assert.Equal(t, "v7", e.Version())
	assert.Equal(t, []engine.Capability{engine.Expose, engine.ACL}, e.Capabilities())

	require.NoError(t, e.Apply(t.Context(), place{}, "kind: Mesh\n"))
	raw, err := os.ReadFile(seen)
	require.NoError(t, err)
	assert.JSONEq(t, `{"protocol":"meshfed.engine/v1","operation":"apply","cluster":"c1","kubeconfig":"/kube/c1","spec":"kind: Mesh\n"}`, string(raw))
}

// SAD PATHS: whatever a program does wrong names the program, the operation,
// the cluster and what is wrong.
func TestAProgramThatDoesNotAnswerAsAgreedHasFailed(t *testing.T) {
	for name, c := range map[string]struct{ does, want string }{
		"says nothing":              {":", "wrote nothing to standard output"},
		"exits with an error":       {"echo broken >&2; exit 3", "exit status 3; standard error: broken"},
		"error, code and story":     {`echo "{\"result\":\"failed\",\"error\":\"no right\"}"; exit 1`, "exit status 1: no right"},
		"done but a bad exit code":  {`echo "{\"result\":\"done\"}"; exit 1`, "exit status 1"},
		"fails politely":            {`echo "{\"result\":\"failed\",\"error\":\"no right\"}"`, "no right"},
		"fails without a reason":    {`echo "{\"result\":\"failed\"}"`, "say what went wrong"},
		"unknown field":             {`echo "{\"result\":\"done\",\"wrote\":3}"`, `unknown field "wrote"`},
		"no result":                 {`echo "{}"`, `result ""; write "done" or "failed"`},
		"done with an error":        {`echo "{\"result\":\"done\",\"error\":\"x\"}"`, "one or the other"},
		"logs to standard output":   {`echo "{\"result\":\"done\"}"; echo applied`, "write logs to standard error"},
		"capabilities to an apply":  {`echo "{\"result\":\"done\",\"version\":\"1\"}"`, "fields of the answer to capabilities"},
		"no JSON":                   {"echo ok", "no JSON object of meshfed.engine/v1"},
		"endless":                   {"yes | head -c 3000000", "longer than 1048576 bytes"},
		"lines that fake a report":  {`printf "{\"result\":\"failed\",\"error\":\"a\\\\nPASS\"}"`, "a | PASS"},
		"dies by a signal":          {"kill -9 $$", "signal: killed"},
		"a child keeps stdout open": {"sleep 60 & exit 0", "I/O"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := exec.Open(t.Context(), program(t, capable, c.does), 0)
			require.NoError(t, err)
			err = e.Cancel(t.Context(), place{}, "")
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "in c1: exec:engine cancel: ")
		})
	}
}

func TestAProgramThatHangsIsKilledWithItsChildren(t *testing.T) {
	alive := filepath.Join(t.TempDir(), "alive")
	path := program(t, capable, fmt.Sprintf("echo waiting >&2; (sleep 2; touch %s) & wait", alive))
	e, err := exec.Open(t.Context(), path, 500*time.Millisecond)
	require.NoError(t, err)
	err = e.Apply(t.Context(), place{}, "")
	require.ErrorContains(t, err, "no answer within 500ms; standard error: waiting")
	assert.Never(t, func() bool { _, err := os.Stat(alive); return err == nil }, 2500*time.Millisecond, 100*time.Millisecond,
		"the child went on after the time-out")
}

func TestOnlyAProgramThatDeclaresKnownCapabilitiesIsAnEngine(t *testing.T) {
	for name, c := range map[string]struct{ answer, want string }{
		"none":    {`{"result":"done"}`, "declares no capability"},
		"unknown": {`{"result":"done","capabilities":["expose","teleport"]}`, `"teleport"; known are expose`},
		"twice":   {`{"result":"done","capabilities":["acl","acl"]}`, `"acl" twice`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := exec.Open(t.Context(), program(t, c.answer, ":"), 0)
			assert.ErrorContains(t, err, c.want)
		})
	}
	_, err := exec.Open(t.Context(), filepath.Join(t.TempDir(), "absent"), 0)
	assert.ErrorContains(t, err, "write exec:<path of an executable file>")
}

func TestTheExampleSpeaksTheProtocol(t *testing.T) {
	if _, err := osexec.LookPath("jq"); err != nil {
		t.Skip("the example needs jq")
	}
	for name, c := range map[string]struct{ federator, want string }{
		"passes the declarations on": {`[ "$1 $2 $3 $4 $5" = "apply --kubeconfig /kube/c1 -f /dev/stdin" ] && grep -q Mesh`, ""},
		"passes errors back":         {"echo error: no such cluster >&2; exit 1", "error: no such cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			stub := filepath.Join(t.TempDir(), "federator")
			require.NoError(t, os.WriteFile(stub, []byte("#!/bin/bash\n"+c.federator+"\n"), 0o700))
			t.Setenv("FEDERATOR", stub)
			e, err := exec.Open(t.Context(), "example/federator-engine", 0)
			require.NoError(t, err)
			assert.Equal(t, engine.Capabilities(), e.Capabilities())
			err = e.Apply(t.Context(), place{}, "kind: Mesh\n")
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{capable, `{"result":"done"}`, `{"result":"failed","error":"x"}`, `{"result":"done"} x`, `{"Result":"done"}`, "[]", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, op := range []exec.Operation{exec.OpCapabilities, exec.OpApply} {
			a, err := exec.ParseAnswer(op, []byte(raw))
			if err != nil {
				continue
			}
			// What is taken for an answer says done, claims only what exists, and
			// means the same when it is written again.
			require.Equal(t, exec.Done, a.Result)
			require.Subset(t, engine.Capabilities(), a.Capabilities)
			again, err := json.Marshal(a)
			require.NoError(t, err)
			b, err := exec.ParseAnswer(op, again)
			require.NoError(t, err)
			require.Equal(t, a, b)
		}
	})
}
