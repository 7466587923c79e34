package steps

import (
	"fmt"
	"regexp"
	"slices"
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
	// Authority is the mesh whose own authority has signed the certificate, whoever
	// it names; empty is the one that all gateways know.
	Authority string
	// Form is what is wrong with the certificate; empty is nothing.
	Form Form
	// SNI to send instead of the gateway's own host; NoSNI sends none.
	SNI   string
	NoSNI bool
	// Earlier is the name at which the caller has taken up a TLS session that it
	// resumes; empty is none.
	Earlier string
	// Host is the authority to send instead of the gateway's own.
	Host string
	// Old speaks TLS 1.1, which RFC 8996 has retired, and nothing newer.
	Old bool
	// Sidecar offers the protocols that only a mesh's own sidecars offer.
	Sidecar bool
}

// Form is the closed set of ways in which the right authority's certificate can
// be wrong.
type Form string

// The forms.
const (
	Expired     Form = "expired"
	NotYetValid Form = "not yet valid"
	ServersOnly Form = "for servers only"
	// Ahead and Behind: issued by a clock that is wrong by ten minutes.
	Ahead  Form = "of a clock ten minutes ahead"
	Behind Form = "of a clock ten minutes behind"
	// Constrained: from an authority below the right one that may name only
	// another mesh.
	Constrained Form = "from an authority for c9 alone"
	// AsCommonName: the name in the subject, and nowhere else.
	AsCommonName Form = "its name as the common name"
	SelfSigned   Form = "signed by itself"
	// AsDNS: the name as a DNS name that spells the same.
	AsDNS Form = "its name as a DNS name"
	// AsOther: the name as an OtherName.
	AsOther Form = "its name as an OtherName"
	// Second: another mesh's name first.
	Second Form = "c9's name first"
	// NUL: the name, a NUL byte and more.
	NUL Form = "a NUL byte after its name"
	// The names that look like it.
	Longer    Form = "a longer name"
	Capitals  Form = "its name in capitals"
	Unescaped Form = "another letter for a dot"
	Nameless  Form = "no name at all"
)

// Forms is the whole vocabulary.
func Forms() []Form {
	return []Form{Expired, NotYetValid, Ahead, Behind, ServersOnly, Constrained, AsCommonName, SelfSigned, AsDNS, AsOther, Second, NUL, Longer, Capitals, Unescaped, Nameless}
}

var (
	formed         = regexp.MustCompile(`^(c\d)'s certificate, (.+)$`)
	ownCertificate = regexp.MustCompile(`^(c\d)'s certificate(?: and SNI "([^"]+)"( like a sidecar)?| and host "([^"]+)"|( and no SNI)|( over TLS 1\.1))?$`)
	ownAuthority   = regexp.MustCompile(`^(.+) by (c\d)'s own CA, at "([^"]+)"(?: by a session of "([^"]+)")?$`)
	impostor       = regexp.MustCompile(`^(c\d)'s name from another CA$`)
)

// parseCaller reads a caller in the words of the features.
func parseCaller(words string) (Caller, error) {
	if m := ownAuthority.FindStringSubmatch(words); m != nil {
		c, err := signedByOwn(m[1], m[2], m[3])
		c.Earlier = m[4]
		return c, err
	}
	if m := ownCertificate.FindStringSubmatch(words); m != nil {
		return Caller{Credentials: Own, Mesh: m[1], SNI: m[2], Sidecar: m[3] != "", Host: m[4], NoSNI: m[5] != "", Old: m[6] != ""}, nil
	}
	if m := formed.FindStringSubmatch(words); m != nil && slices.Contains(Forms(), Form(m[2])) {
		return Caller{Credentials: Own, Mesh: m[1], Form: Form(m[2])}, nil
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
	return Caller{}, fmt.Errorf(`a caller %q: want "c1's certificate" (and SNI "x", and SNI "x" like a sidecar, and host "x", and no SNI, over TLS 1.1; or a comma and one of %q; and then perhaps: by c3's own CA, at "x", by a session of "y"), "c1's name from another CA", "no certificate" or "plain HTTP"`, words, Forms())
}

// signedByOwn reads a caller with a certificate of some mesh's own authority, who
// asks for one host by SNI and authority.
func signedByOwn(words, authority, host string) (Caller, error) {
	c, err := parseCaller(words)
	if err != nil {
		return Caller{}, err
	}
	if c.Credentials != Own || c.SNI != "" || c.Host != "" || c.NoSNI {
		return Caller{}, fmt.Errorf("a caller %q by an own CA: want a certificate of some mesh, and the host once", words)
	}
	c.Authority, c.SNI, c.Host = authority, host, host
	return c, nil
}
