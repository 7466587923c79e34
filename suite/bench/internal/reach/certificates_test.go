package reach

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
