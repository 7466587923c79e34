package nsproc_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/nsproc"
)

// tellArg makes this test's binary tell what it was started with.
const tellArg = "__tell"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case nsproc.InitArg:
			os.Exit(nsproc.Init(os.Args[2:]))
		case tellArg:
			fmt.Printf("umask %04o\n", syscall.Umask(0))
			for _, variable := range os.Environ() {
				name, _, _ := strings.Cut(variable, "=")
				fmt.Println(name)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// told is what a program below a pid 1 of its own was started with.
func told(t *testing.T) []string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("namespaces: needs root")
	}
	cmd := nsproc.Command("/proc/self/exe", tellArg)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), errs.String())
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

// A container's root folder that is made under root's own umask of 077 is one
// that the container's user cannot enter.
func TestTheUmaskOfWhoeverStartsItIsNotTheProgramS(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	assert.Contains(t, told(t), "umask 0022")
}

// The API server would ask a proxy of the environment for every webhook, and no
// proxy knows a Service of the lab.
func TestNoProxyOfTheEnvironmentIsKnownInside(t *testing.T) {
	t.Setenv("MESHFED_KEPT", "x")
	proxies := []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"}
	for _, name := range proxies {
		t.Setenv(name, "http://proxy.example:3128")
	}
	inside := told(t)
	assert.Contains(t, inside, "MESHFED_KEPT")
	for _, name := range proxies {
		assert.NotContains(t, inside, name)
	}
}
