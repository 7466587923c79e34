package evidence_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
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

func TestATokenIsBlottedOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.txt")
	segment := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	token := segment(`{"alg":"RS256","kid":"x"}`) + "." + segment(`{"sub":"system:serviceaccount:a:b"}`) + "." + segment("signature")
	require.NoError(t, evidence.Write(path, []byte(`{"authorization":"Bearer `+token+`","path":"/x"}`)))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, `{"authorization":"Bearer [token redacted]","path":"/x"}`, string(content))
}

func TestTheWayOfARequestThroughTheGatewaysIsReadFromTopToBottom(t *testing.T) {
	line := func(id, start, path string) string {
		return `{"request_id":"` + id + `","start_time":"2026-01-02T03:04:05.` + start + `Z","path":"` + path + `"}` + "\n"
	}
	joined := string(evidence.Join(map[string][]byte{
		"c2-ingress": []byte("starting envoy\n" + line("b", "400", "/second") + line("a", "200", "/bookinfo/reviews")),
		"c1-egress":  []byte(line("a", "100", "/reviews") + line("b", "300", "/second") + `{"start_time":"2026-01-02T03:04:05.000Z"}` + "\n"),
	}))
	var ways []string
	for l := range strings.Lines(joined) {
		where, _, _ := strings.Cut(strings.TrimSpace(l), " {")
		ways = append(ways, where)
	}
	assert.Equal(t, []string{"request a", "c1-egress", "c2-ingress", "request b", "c1-egress", "c2-ingress", "request without an id", "c1-egress"}, ways)
}

// Gateways give each request a new id.
func TestTheNonceJoinsWhatIdsDoNot(t *testing.T) {
	line := func(id, second string) []byte {
		return []byte(`{"nonce":"n","request_id":"` + id + `","start_time":"2026-01-02T03:04:0` + second + `.000Z"}` + "\n")
	}
	joined := string(evidence.Join(map[string][]byte{"c2-ingress": line("y", "6"), "c1-egress": line("x", "5")}))
	assert.Equal(t, 1, strings.Count(joined, "request n\n"), joined)
	assert.Less(t, strings.Index(joined, "c1-egress"), strings.Index(joined, "c2-ingress"))
}
