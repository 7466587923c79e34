package traffic

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// Server is how a gateway proves who it is.
type Server struct {
	// Roots are the authorities it may be certified by. None accepts nobody.
	Roots *x509.CertPool
	// DNS is the name its certificate must hold, and the default SNI and
	// authority ("c2.example.com").
	DNS string
	// URI is the URI its certificate must hold, and no other, if it is not
	// empty ("spiffe://c2.example.com/istio-private-ingressgateway").
	URI string
}

// verify refuses with the error type of crypto/tls itself, so that its kind is
// recognised wherever it surfaces.
func (s Server) verify(state tls.ConnectionState) error {
	if err := s.check(state.PeerCertificates); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return nil
}

func (s Server) check(chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errNoCertificate
	}
	roots := s.Roots
	if roots == nil {
		// Go would take the machine's own roots for nil.
		roots = x509.NewCertPool()
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{DNSName: s.DNS, Roots: roots, Intermediates: intermediates}); err != nil {
		return err
	}
	if s.URI == "" {
		return nil
	}
	if uris := chain[0].URIs; len(uris) != 1 || uris[0].String() != s.URI {
		return fmt.Errorf("the server is %v, want %s", uris, s.URI)
	}
	return nil
}
