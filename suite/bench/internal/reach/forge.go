package reach

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/steps"
)

// skew is by how much a wrong clock is wrong.
const skew = 10 * time.Minute

// forge issues the certificate that a caller brings.
func forge(authority *pki.Authority, as steps.Caller) (*pki.Credential, error) {
	leaf := pki.Egress(as.Mesh)
	named := func(change func(string) string) pki.Leaf {
		leaf.SANs = []pki.SAN{{Kind: pki.URI, Value: change(pki.EgressIdentity(as.Mesh))}}
		return leaf
	}
	switch as.Form {
	case "":
	case steps.Expired:
		leaf = leaf.Expired(time.Now())
	case steps.NotYetValid:
		leaf = leaf.NotYetValid(time.Now())
	case steps.Ahead:
		leaf.NotBefore, leaf.NotAfter = time.Now().Add(skew), time.Now().Add(skew+time.Hour)
	case steps.Behind:
		leaf.NotBefore, leaf.NotAfter = time.Now().Add(-skew-time.Hour), time.Now().Add(-skew)
	case steps.Constrained:
		under, err := authority.Under(pki.Host("c9"))
		if err != nil {
			return nil, err
		}
		return under.Issue(leaf)
	case steps.AsCommonName:
		leaf.CommonName, leaf.SANs = pki.EgressIdentity(as.Mesh), nil
	case steps.ServersOnly:
		leaf = leaf.For(x509.ExtKeyUsageServerAuth)
	case steps.SelfSigned:
		return authority.SelfSigned(leaf)
	case steps.AsDNS:
		leaf = leaf.SpelledAsDNS()
	case steps.AsOther:
		leaf.SANs = []pki.SAN{{Kind: pki.OtherName, Value: pki.EgressIdentity(as.Mesh)}}
	case steps.Second:
		leaf = leaf.With(true, pki.SAN{Kind: pki.URI, Value: pki.EgressIdentity("c9")})
	case steps.NUL:
		leaf = named(func(id string) string { return id + "\x00.evil.example" })
	case steps.Longer:
		leaf = named(func(id string) string { return id + "-2" })
	case steps.Capitals:
		leaf = named(func(id string) string { return strings.Replace(id, "c1.example.com", "C1.EXAMPLE.COM", 1) })
	case steps.Unescaped:
		leaf = named(func(id string) string { return strings.Replace(id, ".", "x", 1) })
	case steps.Nameless:
		leaf.SANs = nil
	default:
		return nil, fmt.Errorf("a certificate with %q: want one of %q", as.Form, steps.Forms())
	}
	return authority.Issue(leaf)
}
