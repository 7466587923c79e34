package container

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestCapabilityNamesAreInTheKernelsOrder(t *testing.T) {
	names := capabilityNames()
	require.Len(t, names, unix.CAP_LAST_CAP+1)
	for c, name := range map[int]string{
		unix.CAP_CHOWN: "CHOWN", unix.CAP_NET_ADMIN: "NET_ADMIN", unix.CAP_SYS_ADMIN: "SYS_ADMIN", unix.CAP_MKNOD: "MKNOD",
		unix.CAP_SYSLOG: "SYSLOG", unix.CAP_CHECKPOINT_RESTORE: "CHECKPOINT_RESTORE",
	} {
		assert.Equal(t, name, names[c])
	}
}

func TestAdjust(t *testing.T) {
	base := DefaultCapabilities()
	netAdmin, chown := CapabilitySet(1<<unix.CAP_NET_ADMIN), CapabilitySet(1<<unix.CAP_CHOWN)
	for name, tc := range map[string]struct {
		add, drop []string
		want      CapabilitySet
	}{
		"nothing":               {nil, nil, base},
		"add":                   {[]string{"NET_ADMIN"}, nil, base | netAdmin},
		"add with prefix":       {[]string{"cap_net_admin"}, nil, base | netAdmin},
		"drop":                  {nil, []string{"CHOWN"}, base &^ chown},
		"drop all":              {nil, []string{"ALL"}, 0},
		"drop all, add one":     {[]string{"NET_ADMIN"}, []string{"ALL"}, netAdmin},
		"add all":               {[]string{"ALL"}, nil, AllCapabilities},
		"add all, drop one":     {[]string{"ALL"}, []string{"CHOWN"}, AllCapabilities &^ chown},
		"dropped wins":          {[]string{"NET_ADMIN"}, []string{"NET_ADMIN"}, base},
		"dropping what is none": {nil, []string{"NET_ADMIN"}, base},
	} {
		got, err := base.Adjust(tc.add, tc.drop)
		require.NoError(t, err, name)
		assert.Equal(t, tc.want, got, name)
	}
	for _, bad := range []string{"", "FLY", "CAP_"} {
		_, err := base.Adjust([]string{bad}, nil)
		assert.ErrorContains(t, err, "no such capability")
		_, err = base.Adjust(nil, []string{bad})
		assert.ErrorContains(t, err, "no such capability")
	}
}
