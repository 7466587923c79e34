package evidence_test

import (
	"encoding/base64"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/suite/bench/internal/evidence"
)

func TestAPrivateKeyIsNeverWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	for _, kind := range []string{"EC PRIVATE", "PRIVATE", "RSA PRIVATE", "ENCRYPTED PRIVATE"} {
		pem := []byte("-----BEGIN " + kind + " KEY-----\nMIIE")
		for _, form := range []string{string(pem), base64.StdEncoding.EncodeToString(pem)} {
			require.ErrorContains(t, evidence.Write(path, []byte(`{"key": "`+form+`"}`)), "not written", form)
			assert.NoFileExists(t, path)
		}
	}
	certificate := base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\nMIIE"))
	require.NoError(t, evidence.Write(path, []byte(`{"private_key": "[redacted]", "chain": "`+certificate+`"}`)))
	assert.FileExists(t, path)
}
