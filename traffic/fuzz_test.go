package traffic

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/traffic/wire"
)

// FuzzClassify: whatever came back, it is "allowed" only if the workload that
// was wanted says so itself, to this very request; and "denied by policy" only
// if no workload has answered.
func FuzzClassify(f *testing.F) {
	f.Add(200, "reviews", "v2", "n", "n", `{"podname":"p"}`, "", "")
	f.Add(403, "", "", "", "n", "RBAC: access denied", "", "")
	f.Add(404, "", "", "", "n", "", "", "")
	f.Add(0, "", "", "", "n", "", string(wire.FaultReset), "")
	f.Add(0, "", "", "", "n", "", string(wire.FaultAlert), "unknown_ca")
	f.Fuzz(func(t *testing.T, status int, service, version, echoed, nonce, body, fault, alert string) {
		header := http.Header{}
		for name, value := range map[string]string{wire.HeaderService: service, wire.HeaderVersion: version, wire.HeaderNonce: echoed} {
			if value != "" {
				header.Set(name, value)
			}
		}
		want := Backend{Service: "reviews", Version: "v2"}
		r := wire.Result{Status: status, Headers: header, Body: body, Fault: wire.Fault(fault), Nonce: nonce}
		o := Classify(r, TLSAlert(alert), want)
		require.NotEmpty(t, o.Kind)
		switch o.Kind {
		case Allowed:
			require.Empty(t, fault)
			require.Less(t, status, 400)
			require.Equal(t, "reviews", service)
			require.Equal(t, "v2", version)
			if nonce != "" {
				require.Equal(t, nonce, echoed)
			}
		case DeniedByPolicy:
			require.Empty(t, service)
			require.Equal(t, http.StatusForbidden, status)
		}
	})
}
