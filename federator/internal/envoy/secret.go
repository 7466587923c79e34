package envoy

import (
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"
)

// Secret is a certificate or roots that Envoy has. Envoy never tells the key.
type Secret struct {
	Name string
	// Certificates in it, in order; empty if they are not there to read.
	Certificates []Certificate
	// Unread are rules for the other side's certificates that stand beside the roots.
	Unread []string
}

// Certificate is what matters of one.
type Certificate struct {
	Subject             string
	URIs                []string
	NotBefore, NotAfter time.Time
}

// NotValid finds a certificate that is not valid at a time.
func (s Secret) NotValid(at time.Time) (Certificate, bool) {
	if at.IsZero() {
		return Certificate{}, false
	}
	i := slices.IndexFunc(s.Certificates, func(c Certificate) bool { return at.Before(c.NotBefore) || at.After(c.NotAfter) })
	if i < 0 {
		return Certificate{}, false
	}
	return s.Certificates[i], true
}

func (p *parser) secret(n named) {
	type data struct {
		Inline []byte `json:"inline_bytes"`
		Text   string `json:"inline_string"`
	}
	var raw struct {
		Name string `json:"name"`
		TLS  struct {
			Chain data `json:"certificate_chain"`
		} `json:"tls_certificate"`
		Validation rawValidation `json:"validation_context"`
	}
	if !p.read("secret "+n.Name, n.Secret, &raw) {
		return
	}
	var trusted data
	p.read("roots of secret "+n.Name, raw.Validation.Trusted, &trusted)
	out := Secret{Name: raw.Name, Unread: raw.Validation.unread}
	if raw.Validation.Chain == "ACCEPT_UNTRUSTED" {
		out.Unread = append(out.Unread, "trust_chain_verification")
	}
	if out.Name == "" {
		out.Name = n.Name
	}
	for _, d := range []data{raw.TLS.Chain, trusted} {
		out.Certificates = append(out.Certificates, certificates(append(d.Inline, d.Text...))...)
	}
	p.Secrets[out.Name] = out
}

func certificates(text []byte) []Certificate {
	var out []Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return out
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue // Envoy would not serve with it; what it cannot read it does not use
		}
		one := Certificate{Subject: c.Subject.String(), NotBefore: c.NotBefore, NotAfter: c.NotAfter}
		for _, u := range c.URIs {
			one.URIs = append(one.URIs, u.String())
		}
		out = append(out, one)
	}
}
