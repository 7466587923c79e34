package api

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Entrance is where callers come in at the private ingress gateway: by the
// Mesh's own host, or by one that is a single peer's.
type Entrance struct {
	// Host is SNI and authority.
	Host string
	// CredentialName is the Secret with our certificate and the callers' roots.
	CredentialName string
	// Peer has the entrance to itself; nil is the entrance of all who have none.
	Peer *Peer
}

// Entrance of a peer.
func (m *MeshSpec) Entrance(p *Peer) Entrance {
	if p.Spec.Ingress != nil {
		return Entrance{Host: p.Spec.Ingress.Host, CredentialName: p.Spec.Ingress.CredentialName, Peer: p}
	}
	shared := Entrance{Host: m.Host}
	if m.Ingress != nil {
		shared.CredentialName = m.Ingress.CredentialName
	}
	return shared
}

// Entrances are those by which some exposure admits somebody, the shared one
// first, then in the order of the peers. Where nobody may come in, nobody listens.
func (s *Spec) Entrances() []Entrance {
	named := map[string]bool{}
	for i := range s.Exposures {
		for _, c := range s.Exposures[i].Spec.Consumers {
			named[c.Peer] = true
		}
	}
	var shared, own []Entrance
	for i := range s.Peers {
		p := &s.Peers[i]
		switch e := s.Mesh.Spec.Entrance(p); {
		case !named[p.Name]:
		case e.Peer != nil:
			own = append(own, e)
		case shared == nil:
			shared = []Entrance{e}
		}
	}
	return append(shared, own...)
}

func peerIngress(p *field.Path, in PeerIngress) field.ErrorList {
	errs := hostName(p.Child("host"), in.Host)
	if in.CredentialName == "" {
		return append(errs, field.Required(p.Child("credentialName"), "the Secret with our certificate for the host and this peer's root alone"))
	}
	return append(errs, invalid(p.Child("credentialName"), in.CredentialName, validation.IsDNS1123Subdomain(in.CredentialName))...)
}

// entrances are the hosts and the credentials that are taken, by whom. Peers claim
// theirs in their order, so that of two who want the same the second one is told.
type entrances struct {
	spec        *Spec
	hosts       map[string]string
	credentials map[string]string
}

func newEntrances(s *Spec) *entrances {
	e := &entrances{spec: s, hosts: map[string]string{}, credentials: map[string]string{}}
	mesh := s.Mesh.Key().String()
	if s.Mesh.Spec.Host != "" {
		e.hosts[s.Mesh.Spec.Host] = mesh
	}
	for _, g := range []*Gateway{s.Mesh.Spec.Ingress, s.Mesh.Spec.Egress} {
		if g != nil {
			e.credentials[bundle(g.CredentialName)] = mesh
		}
	}
	return e
}

// named claims the name by which a peer is called. That of another peer's
// entrance leads to ourselves.
func (e *entrances) named(p *Peer) field.ErrorList {
	sni := p.Spec.SNI
	at := field.NewPath("spec", "sni")
	switch by, taken := e.hosts[sni]; {
	case sni == "":
		return nil
	case !taken:
		e.hosts[sni] = p.Key().String()
		return nil
	case by == e.spec.Mesh.Key().String():
		return field.ErrorList{field.Invalid(at, sni, "is this mesh's own host; a peer must have another")}
	default:
		return field.ErrorList{field.Invalid(at, sni, fmt.Sprintf("is a name of %s already; a peer must have one of its own", by)).WithOrigin(string(CauseHostClaimed))}
	}
}

// bundle is the name under which Istio looks for roots. Those of the Secret
// "x-cacert" are the roots of the credential "x", so the two count as one.
func bundle(credential string) string { return strings.TrimSuffix(credential, "-cacert") }

// take claims a peer's entrance. A host that stands for something else already
// would let two parties in by one door; a credential that does is one bundle of
// roots for both, which is what an entrance of one's own is there to avoid.
func (e *entrances) take(p *Peer) field.ErrorList {
	in := p.Spec.Ingress
	if in == nil {
		return nil
	}
	at := field.NewPath("spec", "ingress")
	errs := foreign(at.Child("host"), in.Host, e.spec.Mesh.Spec.ClusterDomain)
	if by, taken := e.hosts[in.Host]; taken && in.Host != "" {
		errs = append(errs, field.Invalid(at.Child("host"), in.Host, fmt.Sprintf("is a name of %s already; give the peer's entrance one of its own", by)).WithOrigin(string(CauseHostClaimed)))
	}
	if by, taken := e.credentials[bundle(in.CredentialName)]; taken && in.CredentialName != "" {
		errs = append(errs, field.Invalid(at.Child("credentialName"), in.CredentialName,
			fmt.Sprintf("holds the roots for %s already, so that either could sign the other's name; give the peer's entrance a Secret of its own", by)).WithOrigin(string(CauseIdentityClaimed)))
	}
	reserve(e.hosts, in.Host, p)
	reserve(e.credentials, bundle(in.CredentialName), p)
	return errs
}

// reserve leaves what is taken to who has it.
func reserve(all map[string]string, name string, p *Peer) {
	if _, taken := all[name]; !taken {
		all[name] = p.Key().String()
	}
}
