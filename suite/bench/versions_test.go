package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheVersionOfEnvoyTellsItsMake(t *testing.T) {
	for said, want := range map[string]string{
		"\n/usr/local/bin/envoy  version: 18ad27fe2e2d/1.39.3/Clean/RELEASE/BoringSSL\n\n": "1.39.3 (18ad27f)",
		"envoy  version: 0123456789abcdef/1.38.0-dev/Clean/RELEASE/BoringSSL":              "1.38.0-dev (0123456)",
		"something else": "",
		"":               "",
	} {
		assert.Equal(t, want, envoyVersion(said))
	}
}
