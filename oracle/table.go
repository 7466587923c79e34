package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Class is what a path is to the exposure that it was derived from: the closed
// set of path classes.
type Class string

// The classes. Each is derived from every exposure.
const (
	Exposed         Class = "exposed"
	Prefix          Class = "the bare prefix"
	NoSlash         Class = "the prefix without its slash"
	LongerName      Class = "a longer name"
	Sibling         Class = "a sibling"
	Parent          Class = "the parent"
	LocalName       Class = "the path behind the prefix"
	OtherCase       Class = "another case"
	Dots            Class = "dot segments out"
	DotsWithin      Class = "dot segments that stay within"
	EncodedDots     Class = "encoded dots out"
	EncodedSlash    Class = "encoded slash out"
	EncodedBack     Class = "encoded backslash out"
	Backslash       Class = "backslash out"
	DoubleEncoded   Class = "encoded twice"
	MergedSlashes   Class = "slashes to be merged"
	EncodedLetter   Class = "an encoded letter"
	ParameterDots   Class = "dots with a parameter"
	AbsoluteElse    Class = "the root"
	QueryWithExpose Class = "the prefix in the query"
)

// Dimensions are what a table is made of beside the declarations.
type Dimensions struct {
	// Callers that bring something.
	Callers []Caller
	// Samples are paths that the services know, by name of the service
	// ("reviews/0"); one without a sample is asked for "0".
	Samples map[string]string
}

// Table is every attempt that can be told apart. By the right SNI, each caller
// that completes a handshake asks for each host, path and method; for a host
// that is not the gateway's, one method that reads and one that writes are
// enough. By any other SNI, and by those that complete no handshake, each thing
// exposed is asked for once: a request that never meets the policy does not
// get another meaning by another path.
func (w Wish) Table(d Dimensions) []Attempt {
	var all []Attempt
	for _, caller := range d.Callers {
		for _, sni := range w.names() {
			// Whoever gets as far as the policy is asked everything there.
			in, open := w.enters(sni)
			deep := open && sni == in.host && w.Judge(Attempt{Caller: caller, SNI: sni}).Fate == DeniedByPolicy
			if !open {
				in = entrance{host: w.Host}
			}
			for _, p := range w.paths(d.Samples) {
				all = append(all, w.row(Attempt{Caller: caller, SNI: sni, Path: p.path, Class: p.class}, in, deep)...)
			}
		}
	}
	return all
}

// row is one path in all combinations that matter at an entrance.
func (w Wish) row(a Attempt, in entrance, deep bool) []Attempt {
	if !deep {
		if a.Class != Exposed {
			return nil
		}
		a.Host, a.Method = in.host, reads
		return []Attempt{a}
	}
	var all []Attempt
	for _, a.Host = range w.hosts(in) {
		methods := []string{reads, writes}
		if w.own(in, a.Host) {
			methods = append(methods, "HEAD", "DELETE", "OPTIONS")
		}
		for _, a.Method = range methods {
			all = append(all, a)
		}
	}
	return all
}

const (
	reads  = "GET"
	writes = "POST"
)

// names are the SNIs to send; "" is none.
func (w Wish) names() []string {
	_, parent, _ := strings.Cut(w.Host, ".")
	names := []string{w.Host, strings.ToUpper(w.Host), "x" + w.Host, w.Host + ".evil.example", "x." + w.Host, parent, ""}
	for _, name := range slices.Sorted(maps.Keys(w.peers)) {
		if own := w.peers[name].host; own != "" {
			names = append(names, own, strings.ToUpper(own), "x"+own)
		}
	}
	for _, e := range w.exposures {
		names = append(names, e.fqdn(w.Domain), fmt.Sprintf("outbound_.%d_.%s_.%s", e.port, e.subset, e.fqdn(w.Domain)))
	}
	return append(names, "kubernetes.default.svc."+w.Domain, "istiod.istio-system.svc")
}

func (e exposure) fqdn(domain string) string { return e.service + "." + e.namespace + ".svc." + domain }

// hosts are the authorities to claim at an entrance: the others' are among them.
func (w Wish) hosts(in entrance) []string {
	hosts := []string{in.host, fmt.Sprintf("%s:%d", in.host, w.Port), strings.ToUpper(in.host), in.host + ".", "x" + in.host, in.host + ":1"}
	for _, other := range w.entrances() {
		if !slices.Contains(hosts, other.host) {
			hosts = append(hosts, other.host)
		}
	}
	if !slices.Contains(hosts, w.Host) {
		hosts = append(hosts, w.Host)
	}
	for _, e := range w.exposures {
		if !slices.Contains(hosts, e.fqdn(w.Domain)) {
			hosts = append(hosts, e.fqdn(w.Domain))
		}
	}
	return append(hosts, "kubernetes.default.svc."+w.Domain)
}

type path struct {
	path  string
	class Class
}

// paths are those of every exposure and its neighbours, each once. Where
// nothing is exposed any path will do.
func (w Wish) paths(samples map[string]string) []path {
	if len(w.exposures) == 0 {
		return []path{{"/", Exposed}}
	}
	var all []path
	for _, e := range w.exposures {
		sample, known := samples[e.service]
		if !known {
			sample = "0"
		}
		for _, p := range e.neighbours(sample) {
			if !slices.ContainsFunc(all, func(other path) bool { return other.path == p.path }) {
				all = append(all, p)
			}
		}
	}
	return all
}

func (e exposure) neighbours(sample string) []path {
	bare := strings.TrimSuffix(e.path, "/")
	cut := strings.LastIndex(bare, "/") + 1
	parent, last := bare[:cut], bare[cut:]
	out := func(dots, slash string) string { return e.path + dots + slash + last + "x" + slash + sample }
	return []path{
		{e.path + sample, Exposed}, {e.path, Prefix}, {bare, NoSlash},
		{bare + "x/" + sample, LongerName}, {parent + "x" + last + "/" + sample, Sibling}, {parent + sample, Parent}, {"/" + sample, LocalName},
		{strings.ToUpper(e.path) + sample, OtherCase},
		{out("..", "/"), Dots}, {e.path + "x/../" + sample, DotsWithin}, {out("%2e%2E", "/"), EncodedDots},
		{out("..", "%2f"), EncodedSlash}, {out("..", "%5C"), EncodedBack}, {out("..", `\`), Backslash},
		{e.path + "%252e%252e%252f" + last + "x/" + sample, DoubleEncoded},
		{"/" + strings.ReplaceAll(e.path, "/", "//") + sample, MergedSlashes},
		{parent + fmt.Sprintf("%%%02x", last[0]) + last[1:] + "/" + sample, EncodedLetter},
		{e.path + "..;/" + last + "x/" + sample, ParameterDots},
		{"/", AbsoluteElse}, {"/?x=" + e.path + sample, QueryWithExpose},
	}
}
