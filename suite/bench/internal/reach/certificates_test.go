package reach

import (
	"crypto/x509"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/steps"
)

func TestSerialsAreReadFromEnvoysAnswer(t *testing.T) {
	got, err := parseCertificates([]byte(`{"certificates":[{"ca_cert":[{"serial_number":"01"}],"cert_chain":[{"serial_number":"00ff","days_until_expiration":"3"}]},{"ca_cert":[]}]}`))
	require.NoError(t, err)
	assert.Equal(t, []*big.Int{big.NewInt(255)}, got, "the authorities' are not its own")
	for _, bad := range []string{``, `[]`, `{"certificates":[{"cert_chain":[{"serial_number":"x"}]}]}`} {
		_, err := parseCertificates([]byte(bad))
		assert.Error(t, err, bad)
	}
}

// In a process that lasted, the certificate of a clock that is ten minutes ahead was
// valid after ten minutes, and the gateway that took it looked like a leak.
func TestACertificateThatIsWrongStaysWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		authority, err := pki.New(pki.Options{})
		require.NoError(t, err)
		r, err := New(nil, authority)
		require.NoError(t, err)
		valid := func(form steps.Form) bool {
			c, err := r.certificate(steps.Caller{Credentials: steps.Own, Mesh: "c1", Form: form})
			require.NoError(t, err)
			leaf, err := x509.ParseCertificate(c.Certificate[0])
			require.NoError(t, err)
			return !time.Now().Before(leaf.NotBefore) && !time.Now().After(leaf.NotAfter)
		}
		own, err := r.Serial(steps.Caller{Credentials: steps.Own, Mesh: "c1"})
		require.NoError(t, err)
		for range 3 {
			for _, form := range []steps.Form{steps.Ahead, steps.NotYetValid, steps.Behind, steps.Expired} {
				assert.False(t, valid(form), "%s", form)
			}
			assert.True(t, valid(""))
			time.Sleep(time.Hour + time.Minute)
		}
		again, err := r.Serial(steps.Caller{Credentials: steps.Own, Mesh: "c1"})
		require.NoError(t, err)
		assert.Equal(t, own, again, "a list of the revoked would name another one")
	})
}
