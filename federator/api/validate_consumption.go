package api

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// headerName is a lower-case HTTP field name. Pseudo-headers (":path") are left
// out on purpose: routing by them would step around the path rules.
var headerName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// The bounds of a consumption. The API server wants them in order to bound what
// its own checks cost; the command line has the same, so that both take and
// refuse the same declarations.
const (
	maxRoutes       = 64
	maxHeaders      = 16
	maxDestinations = 16
	// maxHeaderText bounds the headers of all routes together, in characters: one
	// consumption must not take the room in which all declarations are remembered.
	maxHeaderText = 16 << 10
)

func (v *validator) consumptions() {
	served := map[[2]string]Key{}
	for i := range v.spec.Consumptions {
		c := &v.spec.Consumptions[i]
		spec := field.NewPath("spec")
		errs := namespaced(c)
		if v.spec.Mesh.Spec.Egress == nil {
			errs = append(errs, field.Invalid(spec, c.Name, "the Mesh has no spec.egress; name its private egress gateway to consume through").WithOrigin(string(CauseNoGateway)))
		}
		errs = append(errs, service(spec.Child("service"), c.Spec.Service)...)
		if c.Spec.Service.Subset != "" {
			errs = append(errs, field.Forbidden(spec.Child("service", "subset"), "a subset belongs to a local destination in routes"))
		}
		errs = append(errs, v.from(spec.Child("from"), c.Spec.From)...)
		errs = append(errs, routes(spec.Child("routes"), c.Spec.Routes)...)
		name := [2]string{c.Namespace, c.Spec.Service.Name}
		if first, ok := served[name]; ok {
			errs = append(errs, field.Invalid(spec.Child("service", "name"), c.Spec.Service.Name,
				fmt.Sprintf("%s already serves this local name; one name has one owner", first)).WithOrigin(string(CauseHostClaimed)))
		} else {
			served[name] = c.Key()
		}
		v.report(c.Key(), errs)
	}
}

func (v *validator) from(p *field.Path, f From) field.ErrorList {
	errs := publicPath(p.Child("path"), f.Path)
	peer, ok := v.peer(f.Peer)
	if !ok {
		return append(errs, field.NotFound(p.Child("peer"), f.Peer).WithOrigin(string(CausePeerNotFound)))
	}
	missing := ""
	switch {
	case peer.Spec.ServerIdentity == "":
		missing = "serverIdentity"
	case peer.Spec.Address == nil:
		missing = "address"
	case peer.Spec.SNI == "":
		missing = "sni"
	}
	if missing != "" {
		errs = append(errs, field.Invalid(p.Child("peer"), f.Peer, fmt.Sprintf("that Peer has no spec.%s; without it it cannot be called safely", missing)))
	}
	offered := func(offer string) bool { return strings.HasPrefix(f.Path, offer) }
	if len(peer.Spec.Offers) > 0 && !slices.ContainsFunc(peer.Spec.Offers, offered) {
		errs = append(errs, field.Invalid(p.Child("path"), f.Path,
			fmt.Sprintf("peer %s does not offer it; it offers %s", f.Peer, strings.Join(peer.Spec.Offers, ", "))).WithOrigin(string(CausePathNotOffered)))
	}
	return errs
}

func routes(p *field.Path, list []Route) field.ErrorList {
	if len(list) == 0 {
		return field.ErrorList{field.Required(p, "say where requests go")}
	}
	if len(list) > maxRoutes {
		return field.ErrorList{field.TooMany(p, len(list), maxRoutes)}
	}
	errs := headerText(p, list)
	for i, r := range list {
		at, last := p.Index(i), i == len(list)-1
		switch {
		case last && r.Match != nil:
			errs = append(errs, field.Invalid(at.Child("match"), "", "the last route must take the rest; add one without match"))
		case !last && r.Match == nil:
			errs = append(errs, field.Required(at.Child("match"), "a route without match takes everything; the routes after it are never reached"))
		}
		if r.Match != nil {
			errs = append(errs, headers(at.Child("match", "headers"), r.Match.Headers)...)
		}
		errs = append(errs, destinations(at.Child("to"), r.To)...)
	}
	return errs
}

// headerText bounds what the headers of all routes take together.
func headerText(p *field.Path, list []Route) field.ErrorList {
	total := 0
	for _, r := range list {
		if r.Match == nil {
			continue
		}
		for _, h := range r.Match.Headers {
			total += utf8.RuneCountInString(h.Name) + utf8.RuneCountInString(h.Exact) + utf8.RuneCountInString(h.Prefix)
		}
	}
	if total <= maxHeaderText {
		return nil
	}
	return field.ErrorList{field.Invalid(p, total, fmt.Sprintf("the headers of all routes have more than %d characters together; match by fewer or shorter ones", maxHeaderText))}
}

func headers(p *field.Path, list []HeaderMatch) field.ErrorList {
	if len(list) == 0 {
		return field.ErrorList{field.Required(p, "an empty match matches everything; name a header or leave match out")}
	}
	if len(list) > maxHeaders {
		return field.ErrorList{field.TooMany(p, len(list), maxHeaders)}
	}
	var errs field.ErrorList
	seen := map[string]bool{}
	for i, h := range list {
		at := p.Index(i)
		if !headerName.MatchString(h.Name) {
			errs = append(errs, field.Invalid(at.Child("name"), h.Name, "must be a header name in lower case"))
		}
		if seen[h.Name] {
			errs = append(errs, field.Duplicate(at.Child("name"), h.Name))
		}
		seen[h.Name] = true
		if (h.Exact == "") == (h.Prefix == "") {
			errs = append(errs, field.Invalid(at, h.Name, "needs exactly one of exact and prefix"))
		}
	}
	return errs
}

func destinations(p *field.Path, list []Destination) field.ErrorList {
	if len(list) == 0 {
		return field.ErrorList{field.Required(p, "name at least one destination")}
	}
	if len(list) > maxDestinations {
		return field.ErrorList{field.TooMany(p, len(list), maxDestinations)}
	}
	var errs field.ErrorList
	sum := int32(0)
	seen := map[Destination]bool{}
	for i, d := range list {
		at := p.Index(i)
		if d.Target != TargetLocal && d.Target != TargetRemote {
			errs = append(errs, field.NotSupported(at.Child("target"), d.Target, []Target{TargetLocal, TargetRemote}))
		}
		if d.Subset != "" {
			errs = append(errs, label(at.Child("subset"), d.Subset)...)
			if d.Target == TargetRemote {
				errs = append(errs, field.Forbidden(at.Child("subset"), "the peer chooses what is behind its path; subsets are for local destinations"))
			}
		}
		if d.Weight < 1 || d.Weight > 100 {
			errs = append(errs, field.Invalid(at.Child("weight"), d.Weight, "must be 1 to 100; leave out a destination that gets nothing"))
		} else {
			sum += d.Weight
		}
		where := Destination{Target: d.Target, Subset: d.Subset}
		if seen[where] {
			errs = append(errs, field.Duplicate(at, string(d.Target)+" "+d.Subset))
		}
		seen[where] = true
	}
	if len(errs) == 0 && sum != 100 {
		errs = append(errs, field.Invalid(p, sum, "weights must add up to 100"))
	}
	return errs
}
