package api

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// spiffeID is the SPIFFE ID grammar (SPIFFE-ID standard, section 2), with a path:
// an ID without one names a whole trust domain, never a caller.
var spiffeID = regexp.MustCompile(`^spiffe://([a-z0-9._-]+)((?:/[A-Za-z0-9._-]+)+)$`)

// maxIdentity is the length limit of the same standard, in bytes.
const maxIdentity = 2048

// TrustDomain is the trust domain of a valid SPIFFE ID, "" of anything else.
func TrustDomain(id string) string {
	if m := spiffeID.FindStringSubmatch(id); m != nil {
		return m[1]
	}
	return ""
}

// Principal is how Istio spells a SPIFFE ID in a policy: without the scheme.
func Principal(id string) string { return strings.TrimPrefix(id, "spiffe://") }

func (v *validator) peers() {
	snis, clients := map[string]string{}, map[string]string{}
	taken := newEntrances(v.spec)
	for i := range v.spec.Peers {
		p := &v.spec.Peers[i]
		errs := append(clusterScoped(p), peer(p.Spec)...)
		spec := field.NewPath("spec")
		twice := unique(snis, spec.Child("sni"), p.Spec.SNI, p.Name)
		if len(twice) == 0 {
			twice = taken.named(p)
		}
		errs = append(errs, twice...)
		errs = append(errs, unique(clients, spec.Child("clientIdentity"), p.Spec.ClientIdentity, p.Name)...)
		errs = append(errs, foreign(spec.Child("sni"), p.Spec.SNI, v.spec.Mesh.Spec.ClusterDomain)...)
		errs = append(errs, taken.take(p)...)
		v.report(p.Key(), errs)
	}
}

// foreign refuses a peer that claims a name of this cluster, such as
// kubernetes.default.svc.cluster.local: the gateway would send to the peer what
// is meant for our own (ISTIO-SECURITY-2026-002).
func foreign(p *field.Path, sni, clusterDomain string) field.ErrorList {
	if clusterDomain == "" {
		clusterDomain = "cluster.local"
	}
	for _, own := range []string{clusterDomain, "svc", "local", "localhost"} {
		if strings.HasSuffix("."+sni, "."+own) {
			return field.ErrorList{field.Invalid(p, sni, "is a name of this cluster (."+own+"); a peer must have one of its own").WithOrigin(string(CauseHostClaimed))}
		}
	}
	return nil
}

// unique refuses a value that another peer has: a grant to one would be a grant
// to both, and traffic for one could reach the other.
func unique(seen map[string]string, p *field.Path, value, owner string) field.ErrorList {
	if value == "" {
		return nil
	}
	if first, ok := seen[value]; ok {
		return field.ErrorList{field.Invalid(p, value, fmt.Sprintf("peer %s has it already; peers cannot share it", first)).WithOrigin(string(CauseIdentityClaimed))}
	}
	seen[value] = owner
	return nil
}

func peer(p PeerSpec) field.ErrorList {
	spec := field.NewPath("spec")
	var errs field.ErrorList
	if p.ClientIdentity == "" && p.ServerIdentity == "" {
		errs = append(errs, field.Required(spec, "name clientIdentity (a peer that calls), serverIdentity (one that is called), or both"))
	}
	if p.ClientIdentity != "" {
		errs = append(errs, identity(spec.Child("clientIdentity"), p.ClientIdentity)...)
	}
	if p.ServerIdentity != "" {
		errs = append(errs, identity(spec.Child("serverIdentity"), p.ServerIdentity)...)
	}
	if p.SNI != "" {
		errs = append(errs, hostName(spec.Child("sni"), p.SNI)...)
	}
	if p.Address != nil {
		at := spec.Child("address")
		if !isIP(p.Address.Host) {
			errs = append(errs, invalid(at.Child("host"), p.Address.Host, validation.IsDNS1123Subdomain(p.Address.Host))...)
		}
		errs = append(errs, port(at.Child("port"), p.Address.Port)...)
	}
	if p.Ingress != nil {
		errs = append(errs, peerIngress(spec.Child("ingress"), *p.Ingress)...)
		if p.ClientIdentity == "" {
			errs = append(errs, field.Required(spec.Child("clientIdentity"), "nobody can come in by spec.ingress without one"))
		}
	}
	for i, path := range p.Offers {
		errs = append(errs, publicPath(spec.Child("offers").Index(i), path)...)
		if slices.Contains(p.Offers[:i], path) {
			errs = append(errs, field.Duplicate(spec.Child("offers").Index(i), path))
		}
	}
	return errs
}

func identity(p *field.Path, id string) field.ErrorList {
	switch {
	case strings.Contains(id, "*"):
		return field.ErrorList{field.Invalid(p, id, "wildcards admit identities nobody has named; write one SPIFFE ID")}
	case len(id) > maxIdentity:
		return field.ErrorList{field.TooLong(p, "", maxIdentity)}
	case !spiffeID.MatchString(id), strings.Contains(id+"/", "/./"), strings.Contains(id+"/", "/../"):
		return field.ErrorList{field.Invalid(p, id, "is no SPIFFE ID of a workload; write spiffe://<trust domain>/<path>")}
	case TrustDomain(id) == "cluster.local":
		// Istio widens a principal of this literal trust domain to the local one and
		// to every alias: a grant to the peer would admit our own workloads too.
		return field.ErrorList{field.Invalid(p, id, "trust domain cluster.local means every mesh's own; the peer needs one of its own")}
	}
	return nil
}
