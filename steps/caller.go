package steps

import (
	"fmt"
	"regexp"
)

// Credentials is the closed set of what a caller at a gateway may bring.
type Credentials string

// The credentials.
const (
	// Own: the certificate of the egress gateway of Caller.Mesh.
	Own Credentials = "own"
	// Impostor: the same names, from an authority of its own.
	Impostor Credentials = "impostor"
	// NoCertificate: TLS without a client certificate.
	NoCertificate Credentials = "none"
	// Plaintext: no TLS at all.
	Plaintext Credentials = "plaintext"
)

// Caller is who knocks at a private ingress gateway, and how.
type Caller struct {
	Credentials Credentials
	// Mesh whose certificate is brought, or whose name is claimed.
	Mesh string
	// SNI to send instead of the gateway's own host; NoSNI sends none.
	SNI   string
	NoSNI bool
	// Host is the authority to send instead of the gateway's own.
	Host string
}

var (
	ownCertificate = regexp.MustCompile(`^(c\d)'s certificate(?: and SNI "([^"]+)"| and host "([^"]+)"|( and no SNI))?$`)
	impostor       = regexp.MustCompile(`^(c\d)'s name from another CA$`)
)

// parseCaller reads a caller in the words of the features.
func parseCaller(words string) (Caller, error) {
	if m := ownCertificate.FindStringSubmatch(words); m != nil {
		return Caller{Credentials: Own, Mesh: m[1], SNI: m[2], Host: m[3], NoSNI: m[4] != ""}, nil
	}
	if m := impostor.FindStringSubmatch(words); m != nil {
		return Caller{Credentials: Impostor, Mesh: m[1]}, nil
	}
	switch words {
	case "no certificate":
		return Caller{Credentials: NoCertificate}, nil
	case "plain HTTP":
		return Caller{Credentials: Plaintext}, nil
	}
	return Caller{}, fmt.Errorf(`a caller %q: want "c1's certificate" (and SNI "x", and host "x", and no SNI), "c1's name from another CA", "no certificate" or "plain HTTP"`, words)
}
