package cri

import (
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/image"
)

type noImages struct{}

func (noImages) Resolve(ref string) (image.Image, error) {
	return image.Image{}, &image.UnknownError{Ref: ref}
}
func (noImages) List() ([]image.Image, error) { return nil, nil }

func TestABadConfigurationIsExplained(t *testing.T) {
	if os.Geteuid() != 0 {
		_, err := New(Config{})
		assert.ErrorContains(t, err, "must run as root")
		t.Skip("the rest needs root: it is checked first")
	}
	good := Config{Socket: "/s", StateDir: "/state", Images: noImages{}, PodCIDR: netip.MustParsePrefix("10.0.0.0/24"), Self: []string{"/self"}}
	for want, spoil := range map[string]func(*Config){
		"no socket path":                       func(c *Config) { c.Socket = "" },
		"the kernel takes at most 107":         func(c *Config) { c.Socket = "/" + strings.Repeat("x", 107) },
		`state directory "state" is not an ab`: func(c *Config) { c.StateDir = "state" },
		"no image store":                       func(c *Config) { c.Images = nil },
		"no command line":                      func(c *Config) { c.Self = nil },
		"want an IPv4 prefix":                  func(c *Config) { c.PodCIDR = netip.Prefix{} },
	} {
		c := good
		spoil(&c)
		_, err := New(c)
		assert.ErrorContains(t, err, want)
	}
}

func TestTheCommandLineFollowsKubernetes(t *testing.T) {
	img := image.Image{Entrypoint: []string{"entry"}, Cmd: []string{"cmd"}}
	for _, tc := range []struct {
		command, args, want []string
	}{
		{nil, nil, []string{"entry", "cmd"}},
		{nil, []string{"a"}, []string{"entry", "a"}},
		{[]string{"c"}, nil, []string{"c"}},
		{[]string{"c"}, []string{"a"}, []string{"c", "a"}},
	} {
		assert.Equal(t, tc.want, commandLine(&runtimeapi.ContainerConfig{Command: tc.command, Args: tc.args}, img))
	}
	_, err := processSpec(&runtimeapi.ContainerConfig{}, image.Image{Names: []string{"x"}}, &sandbox{config: &runtimeapi.PodSandboxConfig{}})
	assert.ErrorContains(t, err, "no command")
}

func TestSignals(t *testing.T) {
	for name, want := range map[string]syscall.Signal{
		"SIGTERM": 15, "TERM": 15, "sigint": 2, "9": 9, "SIGCLD": 17, "SIGIOT": 6, "SIGPOLL": 29,
		"SIGRTMIN": 34, "SIGRTMIN+3": 37, "SIGRTMINPLUS3": 37, "SIGRTMAXMINUS2": 62, "SIGRTMAX": 64,
	} {
		got, ok := parseSignal(name)
		require.True(t, ok, name)
		assert.Equal(t, want, got, name)
	}
	for _, bad := range []string{"", "0", "65", "-1", "SIG", "SIGNOSUCH", "SIGRTMAX+1", "SIGRTMIN-1", "SIGRTMINx"} {
		_, ok := parseSignal(bad)
		assert.False(t, ok, bad)
	}
	for value, name := range runtimeapi.Signal_name {
		if value == 0 {
			continue
		}
		_, ok := parseSignal(strings.TrimPrefix(name, "SIGNAL_"))
		if name != "SIGNAL_SIGSTKFLT" {
			assert.True(t, ok, name)
		}
	}
}

func TestResolvConf(t *testing.T) {
	assert.Equal(t, "search a b\nnameserver 1.1.1.1\nnameserver 2.2.2.2\noptions ndots:5 edns0\n", formatResolvConf(&runtimeapi.DNSConfig{
		Servers: []string{"1.1.1.1", "2.2.2.2"}, Searches: []string{"a", "b"}, Options: []string{"ndots:5", "edns0"},
	}))
	assert.Empty(t, formatResolvConf(&runtimeapi.DNSConfig{}))
}

func TestAnAbbreviatedIdMustBeUnique(t *testing.T) {
	entries := map[string]int{"abc": 1, "abd": 2}
	found, err := byID(entries, "abd", "thing")
	require.NoError(t, err)
	assert.Equal(t, 2, found)
	found, err = byID(entries, "abc", "thing")
	require.NoError(t, err)
	assert.Equal(t, 1, found)
	_, err = byID(entries, "ab", "thing")
	assert.ErrorContains(t, err, "2 ids begin so")
	for _, none := range []string{"", "x"} {
		_, err = byID(entries, none, "thing")
		assert.ErrorContains(t, err, "not found")
	}
}

func TestExecOutputIsLimited(t *testing.T) {
	var b limitedBuffer
	chunk := make([]byte, 1<<20)
	for range 20 {
		n, err := b.Write(chunk)
		require.NoError(t, err)
		assert.Len(t, chunk, n, "the command must not see a broken pipe")
	}
	assert.Equal(t, maxExecOutput, b.Len())
}
