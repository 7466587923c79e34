package oracle

import (
	"fmt"
	"slices"
	"strings"
)

// Credentials is the closed set of what a caller may bring.
type Credentials string

// The credentials.
const (
	// Certificate of an authority that the gateway trusts.
	Certificate Credentials = "certificate"
	// Foreign is a certificate of any other authority.
	Foreign Credentials = "certificate of another CA"
	// None is TLS without a certificate.
	None Credentials = "no certificate"
	// Plaintext is no TLS at all.
	Plaintext Credentials = "plain HTTP"
)

// Caller is who asks.
type Caller struct {
	Credentials Credentials
	// Identity is the SPIFFE ID in the certificate, if there is one.
	Identity string
}

func (c Caller) String() string {
	if c.Identity == "" {
		return string(c.Credentials)
	}
	if c.Credentials == Certificate {
		return c.Identity
	}
	return c.Identity + " by another CA"
}

// Attempt is one request at the gateway.
type Attempt struct {
	Caller Caller
	// SNI is empty if none is sent.
	SNI  string
	Host string
	// Path is the request target, raw.
	Path string
	// Class says what the path is to the declarations: a neighbour, a
	// disguise, the thing itself.
	Class  Class
	Method string
}

func (a Attempt) String() string {
	sni := a.SNI
	if sni == "" {
		sni = "no SNI"
	}
	return fmt.Sprintf("%s %s for %s by %s (SNI %s; %s)", a.Method, a.Path, a.Host, a.Caller, sni, a.Class)
}

// Fate is the closed set of what becomes of a request.
type Fate string

// The fates.
const (
	// Granted: the exposed service gets the request.
	Granted Fate = "granted"
	// NobodyListens: nothing is exposed, so there is no open port.
	NobodyListens Fate = "nobody listens"
	// NoHandshake: no TLS server takes such a connection.
	NoHandshake Fate = "no handshake"
	// CertificateRequired: the handshake ends for the lack of a certificate.
	CertificateRequired Fate = "certificate required"
	// UnknownAuthority: the handshake ends for a certificate of somebody
	// that the gateway does not trust.
	UnknownAuthority Fate = "unknown authority"
	// DeniedByPolicy: the gateway answers that access is denied.
	DeniedByPolicy Fate = "denied by policy"
)

// Expectation is what must become of an attempt.
type Expectation struct {
	Fate Fate
	// Service and Version are who gets it, if it is granted. The version is
	// the name of the subset; empty is any.
	Service, Version string
}

// Judge says what must become of an attempt.
func (w Wish) Judge(a Attempt) Expectation {
	switch {
	case len(w.exposures) == 0:
		return Expectation{Fate: NobodyListens}
	case a.Caller.Credentials == Plaintext, !strings.EqualFold(a.SNI, w.Host):
		return Expectation{Fate: NoHandshake}
	case a.Caller.Credentials == None:
		return Expectation{Fate: CertificateRequired}
	case a.Caller.Credentials == Foreign:
		return Expectation{Fate: UnknownAuthority}
	case !w.own(a.Host):
		return Expectation{Fate: DeniedByPolicy}
	}
	path := resolve(a.Path)
	for _, e := range w.exposures {
		if below, is := strings.CutPrefix(path, e.path); is && w.grants(e, a, below) {
			return Expectation{Fate: Granted, Service: e.service, Version: e.subset}
		}
	}
	return Expectation{Fate: DeniedByPolicy}
}

// own says whether an authority is the gateway's: a client that takes it from
// a URL with a port sends the port, too.
func (w Wish) own(host string) bool {
	return strings.EqualFold(host, w.Host) || strings.EqualFold(host, fmt.Sprintf("%s:%d", w.Host, w.Port))
}

func (w Wish) grants(e exposure, a Attempt, below string) bool {
	return slices.ContainsFunc(e.consumers, func(c consumer) bool {
		identity := w.identities[c.Peer]
		return identity != "" && identity == a.Caller.Identity && slices.Contains(c.Methods, a.Method) && c.covers(below)
	})
}

// covers says whether a consumer may ask for what is below the prefix. A path
// that ends in a slash covers what is below it, too.
func (c consumer) covers(below string) bool {
	if len(c.Paths) == 0 {
		return true
	}
	return slices.ContainsFunc(c.Paths, func(p string) bool {
		return below == p || strings.HasSuffix(p, "/") && strings.HasPrefix(below, p)
	})
}
