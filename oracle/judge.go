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
	// Certificate of an authority that the gateway trusts; see Caller.Authority.
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
	// Authority is the peer whose own authority has signed the certificate, whoever
	// it names. Empty: the one that is trusted where all peers come in.
	Authority string
}

func (c Caller) String() string {
	if c.Identity == "" {
		return string(c.Credentials)
	}
	if c.Credentials == Certificate {
		if c.Authority != "" {
			return c.Identity + " by " + c.Authority + "'s own CA"
		}
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
	// WrongName: the handshake ends for a certificate of the right authority that
	// names somebody else.
	WrongName Fate = "wrong name"
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
	if len(w.exposures) == 0 {
		return Expectation{Fate: NobodyListens}
	}
	in, open := w.enters(a.SNI)
	switch {
	case a.Caller.Credentials == Plaintext, !open:
		return Expectation{Fate: NoHandshake}
	case a.Caller.Credentials == None:
		return Expectation{Fate: CertificateRequired}
	case a.Caller.Credentials == Foreign, a.Caller.Authority != in.peer:
		return Expectation{Fate: UnknownAuthority}
	case in.peer != "" && a.Caller.Identity != w.peers[in.peer].identity:
		return Expectation{Fate: WrongName}
	case !w.own(in, a.Host):
		return Expectation{Fate: DeniedByPolicy}
	}
	path := resolve(a.Path)
	for _, e := range w.exposures {
		if below, is := strings.CutPrefix(path, e.path); is && w.grants(e, in, a, below) {
			return Expectation{Fate: Granted, Service: e.service, Version: e.subset}
		}
	}
	return Expectation{Fate: DeniedByPolicy}
}

// entrance is a host by which callers come in: one peer's own, or, without a
// peer, the mesh's.
type entrance struct{ host, peer string }

// entrances are those by which somebody may come in: at any other nobody is
// expected, and so nobody listens.
func (w Wish) entrances() []entrance {
	var all []entrance
	for _, e := range w.exposures {
		for _, c := range e.consumers {
			if in := w.entranceOf(c.Peer); !slices.Contains(all, in) {
				all = append(all, in)
			}
		}
	}
	return all
}

func (w Wish) entranceOf(name string) entrance {
	if own := w.peers[name].host; own != "" {
		return entrance{own, name}
	}
	return entrance{host: w.Host}
}

// enters finds the entrance that a server name leads to.
func (w Wish) enters(sni string) (entrance, bool) {
	for _, in := range w.entrances() {
		if strings.EqualFold(sni, in.host) {
			return in, true
		}
	}
	return entrance{}, false
}

// own says whether an authority is the entrance's: a client that takes it from
// a URL with a port sends the port, too.
func (w Wish) own(in entrance, host string) bool {
	return strings.EqualFold(host, in.host) || strings.EqualFold(host, fmt.Sprintf("%s:%d", in.host, w.Port))
}

func (w Wish) grants(e exposure, in entrance, a Attempt, below string) bool {
	return slices.ContainsFunc(e.consumers, func(c consumer) bool {
		identity := w.peers[c.Peer].identity
		return w.entranceOf(c.Peer) == in && identity != "" && identity == a.Caller.Identity && slices.Contains(c.Methods, a.Method) && c.covers(below)
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
