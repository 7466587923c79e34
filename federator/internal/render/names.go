package render

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// maxLabel is the length limit of a DNS label, in bytes.
const maxLabel = 63

// hashLen is how much of a hash tells two names apart, in hex digits.
const hashLen = 8

// dnsLabel joins parts with "-". Parts that hold a "-" themselves could join to
// the same text (a-b + c, a + b-c), and one declaration would then overwrite
// another's object; those names, and names too long, end in a hash of the parts.
func dnsLabel(prefix string, parts ...string) string {
	name := prefix + strings.Join(parts, "-")
	ambiguous := len(parts) > 1 && strings.Contains(strings.Join(parts, ""), "-")
	if !ambiguous && len(name) <= maxLabel {
		return name
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "/")))
	if room := maxLabel - hashLen - 1; len(name) > room {
		name = strings.TrimRight(name[:room], "-")
	}
	return name + "-" + hex.EncodeToString(sum[:])[:hashLen]
}
