package api

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Methods is the closed set of HTTP methods that can be granted. CONNECT and
// TRACE are left out: a proxy answers them itself.
func Methods() []string {
	return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
}

// The bounds of one exposure; the definition has the same. All declarations are
// remembered in one object of the cluster, and whoever writes one of them must
// not take the room of the others.
const (
	maxConsumers = 128
	// MaxSubPaths bounds those of one consumer.
	MaxSubPaths = 64
	// MaxPathText bounds the sub-paths of all consumers together, in bytes.
	MaxPathText = 16 << 10
)

func (v *validator) exposures() {
	claims := newClaims(len(v.spec.Exposures))
	for i := range v.spec.Exposures {
		e := &v.spec.Exposures[i]
		spec := field.NewPath("spec")
		errs := namespaced(e)
		if v.spec.Mesh.Spec.Ingress == nil {
			errs = append(errs, field.Invalid(spec, e.Name, "the Mesh has no spec.ingress; name its private ingress gateway to expose through").WithOrigin(string(CauseNoGateway)))
		}
		errs = append(errs, service(spec.Child("service"), e.Spec.Service)...)
		errs = append(errs, publicPath(spec.Child("path"), e.Spec.Path)...)
		errs = append(errs, v.consumers(spec.Child("consumers"), e.Spec.Consumers)...)
		errs = append(errs, claims.take(spec.Child("path"), e)...)
		v.report(e.Key(), errs)
	}
}

func (v *validator) consumers(p *field.Path, list []Consumer) field.ErrorList {
	if len(list) == 0 {
		return field.ErrorList{field.Required(p, "name at least one peer; to expose to nobody, leave the exposure out")}
	}
	if len(list) > maxConsumers {
		return field.ErrorList{field.TooMany(p, len(list), maxConsumers)}
	}
	errs := pathText(p, list)
	seen := map[string]bool{}
	for i, c := range list {
		at := p.Index(i)
		peer, ok := v.peer(c.Peer)
		switch {
		case !ok:
			errs = append(errs, field.NotFound(at.Child("peer"), c.Peer).WithOrigin(string(CausePeerNotFound)))
		case peer.Spec.ClientIdentity == "":
			errs = append(errs, field.Invalid(at.Child("peer"), c.Peer, "that Peer has no spec.clientIdentity; without it nobody can be admitted"))
		case seen[c.Peer]:
			errs = append(errs, field.Duplicate(at.Child("peer"), c.Peer))
		}
		seen[c.Peer] = true
		errs = append(errs, methods(at.Child("methods"), c.Methods)...)
		errs = append(errs, subPaths(at.Child("paths"), c.Paths)...)
	}
	return errs
}

// pathText bounds what all consumers' paths take together.
func pathText(p *field.Path, list []Consumer) field.ErrorList {
	total := 0
	for _, c := range list {
		for _, sub := range c.Paths {
			total += len(sub)
		}
	}
	if total <= MaxPathText {
		return nil
	}
	return field.ErrorList{field.Invalid(p, total, fmt.Sprintf("the paths of all consumers have more than %d characters together; name the folder above them, or split the exposure", MaxPathText))}
}

func methods(p *field.Path, list []string) field.ErrorList {
	if len(list) == 0 {
		return field.ErrorList{field.Required(p, "name the methods; an empty list grants nothing by accident")}
	}
	var errs field.ErrorList
	for i, m := range list {
		if !slices.Contains(Methods(), m) {
			errs = append(errs, field.NotSupported(p.Index(i), m, Methods()))
		}
		if slices.Contains(list[:i], m) {
			errs = append(errs, field.Duplicate(p.Index(i), m))
		}
	}
	return errs
}

// IsSubPath says whether a consumer can be granted a path by itself.
func IsSubPath(path string) bool { return len(subPaths(nil, []string{path})) == 0 }

// Covers says whether a path that is granted is another one, or has it below it.
func Covers(granted, path string) bool {
	return granted == path || strings.HasSuffix(granted, "/") && strings.HasPrefix(path, granted)
}

func subPaths(p *field.Path, list []string) field.ErrorList {
	if len(list) > MaxSubPaths {
		return field.ErrorList{field.TooMany(p, len(list), MaxSubPaths)}
	}
	var errs field.ErrorList
	for i, sub := range list {
		at := p.Index(i)
		switch {
		case sub == "":
			errs = append(errs, field.Required(at, "a path below the prefix; for the whole prefix leave paths out"))
		case strings.HasPrefix(sub, "/"):
			errs = append(errs, field.Invalid(at, sub, "is relative to the public prefix; remove the leading /"))
		default:
			errs = append(errs, plainPath(at, sub)...)
		}
		if slices.Contains(list[:i], sub) {
			errs = append(errs, field.Duplicate(at, sub))
		}
	}
	return errs
}

// publicPath wants a prefix of at least one segment between slashes. Without the
// last slash /a/b would also match /a/bc.
func publicPath(p *field.Path, path string) field.ErrorList {
	switch {
	case path == "":
		return field.ErrorList{field.Required(p, "a public prefix such as /bookinfo/reviews/")}
	case !strings.HasPrefix(path, "/"), !strings.HasSuffix(path, "/"):
		return field.ErrorList{field.Invalid(p, path, "must begin and end with /, or it would match names that only start alike")}
	case path == "/":
		return field.ErrorList{field.Invalid(p, path, "is the whole host; give the service a prefix of its own")}
	}
	return plainPath(p, path)
}

// plainPath allows only what every proxy and backend read alike: no escapes, no
// dots, no empty segments, no pattern characters.
func plainPath(p *field.Path, path string) field.ErrorList {
	odd := strings.IndexFunc(path, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/", r)
	})
	switch {
	case odd >= 0:
		return field.ErrorList{field.Invalid(p, path, "may hold only letters, digits and - . _ ~ /")}
	case strings.Contains(path, "//"):
		return field.ErrorList{field.Invalid(p, path, "has an empty segment (//)")}
	case strings.Contains("/"+path+"/", "/./"), strings.Contains("/"+path+"/", "/../"):
		return field.ErrorList{field.Invalid(p, path, "has a . or .. segment")}
	case len(path) > 1024:
		return field.ErrorList{field.TooLong(p, "", 1024)}
	}
	return nil
}

func service(p *field.Path, s Service) field.ErrorList {
	errs := append(label(p.Child("name"), s.Name), port(p.Child("port"), s.Port)...)
	if s.Subset != "" {
		errs = append(errs, label(p.Child("subset"), s.Subset)...)
	}
	return errs
}
