package api

import (
	"fmt"
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validate checks the wish as a whole: each declaration, and what they say
// about each other. The error is a *ValidationError with every problem, or nil.
func Validate(s Spec) error {
	v := &validator{spec: &s, byName: make(map[string]*Peer, len(s.Peers))}
	for i := range s.Peers {
		if _, twice := v.byName[s.Peers[i].Name]; !twice {
			v.byName[s.Peers[i].Name] = &s.Peers[i]
		}
	}
	v.mesh()
	v.peers()
	v.exposures()
	v.consumptions()
	if len(v.bad) > 0 {
		return &ValidationError{Problems: v.bad}
	}
	return nil
}

type validator struct {
	spec *Spec
	bad  []Problem
	// byName spares a search among all peers for each mention of one.
	byName map[string]*Peer
}

func (v *validator) peer(name string) (Peer, bool) {
	p, ok := v.byName[name]
	if !ok {
		return Peer{}, false
	}
	return *p, true
}

func (v *validator) report(k Key, list field.ErrorList) {
	v.bad = append(v.bad, v.spec.problems(k, list)...)
}

func (v *validator) mesh() {
	m := &v.spec.Mesh
	if m.Name == "" && m.Spec.Host == "" && m.Spec.Ingress == nil && m.Spec.Egress == nil {
		v.bad = append(v.bad, Problem{Reason: "no Mesh declared; state this side's gateways in one document of kind Mesh"})
		return
	}
	spec := field.NewPath("spec")
	errs := clusterScoped(m)
	if m.Spec.Ingress == nil && m.Spec.Egress == nil {
		errs = append(errs, field.Required(spec, "name an ingress gateway, an egress gateway, or both"))
	}
	if m.Spec.Host != "" {
		errs = append(errs, hostName(spec.Child("host"), m.Spec.Host)...)
	}
	if m.Spec.Ingress != nil {
		errs = append(errs, gateway(spec.Child("ingress"), *m.Spec.Ingress)...)
		if m.Spec.Host == "" {
			errs = append(errs, field.Required(spec.Child("host"), "the ingress gateway answers one explicit host; name it"))
		}
	}
	if m.Spec.Egress != nil {
		errs = append(errs, gateway(spec.Child("egress"), *m.Spec.Egress)...)
	}
	if m.Spec.ClusterDomain != "" {
		errs = append(errs, hostName(spec.Child("clusterDomain"), m.Spec.ClusterDomain)...)
	}
	if n := m.Spec.ControlPlane.Namespace; n != "" {
		errs = append(errs, label(spec.Child("controlPlane", "namespace"), n)...)
	}
	if r := m.Spec.ControlPlane.Revision; r != "" {
		errs = append(errs, label(spec.Child("controlPlane", "revision"), r)...)
	}
	v.report(m.Key(), errs)
}

func gateway(p *field.Path, g Gateway) field.ErrorList {
	errs := label(p.Child("namespace"), g.Namespace)
	errs = append(errs, label(p.Child("service"), g.Service)...)
	errs = append(errs, port(p.Child("port"), g.Port)...)
	if g.CredentialName == "" {
		errs = append(errs, field.Required(p.Child("credentialName"), "the Secret with the gateway's own certificate and the peers' root"))
	} else {
		errs = append(errs, invalid(p.Child("credentialName"), g.CredentialName, validation.IsDNS1123Subdomain(g.CredentialName))...)
	}
	if len(g.Selector) == 0 {
		errs = append(errs, field.Required(p.Child("selector"), "name the labels of the gateway's pods; an empty selector would select everything"))
	}
	for k, val := range g.Selector {
		at := p.Child("selector").Key(k)
		errs = append(errs, invalid(at, k, validation.IsQualifiedName(k))...)
		if val == "" {
			errs = append(errs, field.Required(at, "a value is needed: an empty one does not single out the gateway"))
		}
		errs = append(errs, invalid(at, val, validation.IsValidLabelValue(val))...)
	}
	return errs
}

// clusterScoped and namespaced check a declaration's own name.
func clusterScoped(d declaration) field.ErrorList {
	p := field.NewPath("metadata")
	errs := label(p.Child("name"), d.GetName())
	if d.GetNamespace() != "" {
		errs = append(errs, field.Forbidden(p.Child("namespace"), fmt.Sprintf("a %s belongs to the whole cluster; remove it", d.kind())))
	}
	return errs
}

func namespaced(d declaration) field.ErrorList {
	p := field.NewPath("metadata")
	return append(label(p.Child("name"), d.GetName()), label(p.Child("namespace"), d.GetNamespace())...)
}

func label(p *field.Path, value string) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(p, "a DNS label")}
	}
	return invalid(p, value, validation.IsDNS1123Label(value))
}

func port(p *field.Path, n int32) field.ErrorList {
	return invalid(p, n, validation.IsValidPortNum(int(n)))
}

// hostName wants one explicit lower-case DNS name: no wildcard, no port, no
// trailing dot and no IP address, for each of them widens what matches.
func hostName(p *field.Path, h string) field.ErrorList {
	switch {
	case h == "":
		return field.ErrorList{field.Required(p, "a DNS name")}
	case strings.Contains(h, "*"):
		return field.ErrorList{field.Invalid(p, h, "wildcards expose more than is declared; name one host")}
	case isIP(h):
		return field.ErrorList{field.Invalid(p, h, "an IP address cannot be asked for by SNI; use a DNS name")}
	}
	return invalid(p, h, validation.IsDNS1123Subdomain(h))
}

func isIP(h string) bool {
	_, err := netip.ParseAddr(h)
	return err == nil
}

func invalid(p *field.Path, value any, reasons []string) field.ErrorList {
	errs := make(field.ErrorList, 0, len(reasons))
	for _, r := range reasons {
		errs = append(errs, field.Invalid(p, value, r))
	}
	return errs
}
