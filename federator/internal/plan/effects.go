package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/federator/api"
)

// Effects says in words how reach changes from the old wishes to the new one.
// There can be two old wishes, after an apply that did not finish: what is lost
// is then measured against both, what is gained only against what both had.
func Effects(old []api.Spec, wish api.Spec) []Effect {
	after := reach(wish)
	before := map[way]string{}
	reaches := make([]map[way]string, len(old))
	for i, s := range old {
		reaches[i] = reach(s)
		maps.Copy(before, reaches[i])
	}
	groups := map[group][]string{}
	note := func(kind EffectKind, w way, story string) {
		g := group{kind, w.subject, w.place, story}
		groups[g] = append(groups[g], w.verb)
	}
	for w, to := range after {
		was, certain := coveredByAll(reaches, w)
		switch {
		case !certain:
			note(Gains, w, to)
		case was != to:
			note(Changes, w, to+", was "+was)
		}
	}
	for w, was := range before {
		if _, told := after[w]; told {
			continue
		}
		switch to, still := covered(after, w); {
		case !still:
			note(Loses, w, was)
		case was != to:
			note(Changes, w, to+", was "+was)
		}
	}
	return append(sharedEntrance(old, wish), sentences(groups)...)
}

// covered says where a wish leads what goes one way: that way is there, or one to a
// folder above it.
func covered(r map[way]string, w way) (string, bool) {
	if to, is := r[w]; is || w.verb == "" {
		return to, is
	}
	for i := len(w.place) - 1; i >= 0; i-- {
		if to, is := r[way{w.subject, w.verb, w.place[:i]}]; is && api.Covers(w.place[:i], w.place) {
			return to, true
		}
	}
	return "", false
}

// coveredByAll says where the last wish leads it, and whether each of them does.
func coveredByAll(reaches []map[way]string, w way) (string, bool) {
	was := ""
	for _, r := range reaches {
		to, is := covered(r, w)
		if !is {
			return "", false
		}
		was = to
	}
	return was, len(reaches) > 0
}

// sharedEntrance tells who vouches for all peers that have no entrance of their own,
// if that changes: it is said in one place, and changes who may be any of them.
func sharedEntrance(old []api.Spec, wish api.Spec) []Effect {
	is, used := commonDoor(wish)
	for _, s := range old {
		was, wasUsed := commonDoor(s)
		if !used || !wasUsed || was == is {
			continue
		}
		subject := wish.Mesh.Key().String()
		return []Effect{{Kind: Changes, Subject: subject, Sentence: fmt.Sprintf("%s: peers without an entrance of their own come in at %s now, by the roots in Secret %s, was at %s, by %s",
			subject, is.Host, is.CredentialName, was.Host, was.CredentialName)}}
	}
	return []Effect{}
}

// commonDoor is the entrance of all peers that have none of their own, if one comes in.
func commonDoor(s api.Spec) (api.Entrance, bool) {
	for _, e := range s.Entrances() {
		if e.Peer == nil {
			return e, true
		}
	}
	return api.Entrance{}, false
}

// way is one thing that one subject can do; its value is where that leads.
type way struct{ subject, verb, place string }

type group struct {
	kind                  EffectKind
	subject, place, story string
}

// reach is everything a wish allows.
func reach(s api.Spec) map[way]string {
	out := map[way]string{}
	for _, e := range s.Exposures {
		for _, c := range e.Spec.Consumers {
			p, _ := s.Peer(c.Peer)
			subject := fmt.Sprintf("peer %s (%s%s)", c.Peer, p.Spec.ClientIdentity, entrance(p))
			for _, path := range places(e.Spec.Path, c.Paths) {
				for _, m := range c.Methods {
					out[way{subject, m, path}] = backend(e)
				}
			}
		}
	}
	for _, c := range s.Consumptions {
		for _, r := range c.Spec.Routes {
			place := fmt.Sprintf("%s:%d%s", c.Spec.Service.Name, c.Spec.Service.Port, condition(r.Match))
			out[way{"workloads of namespace " + c.Namespace, "", place}] = shares(s, c, r)
		}
	}
	return out
}

// entrance tells a peer that comes in by one of its own; who moves there loses
// the other one.
func entrance(p api.Peer) string {
	if p.Spec.Ingress == nil {
		return ""
	}
	return fmt.Sprintf(", alone at %s, by the roots in Secret %s", p.Spec.Ingress.Host, p.Spec.Ingress.CredentialName)
}

func places(prefix string, below []string) []string {
	if len(below) == 0 {
		return []string{prefix}
	}
	out := make([]string, len(below))
	for i, b := range below {
		out[i] = prefix + b
	}
	return out
}

func backend(e api.Exposure) string {
	to := fmt.Sprintf("%s.%s:%d", e.Spec.Service.Name, e.Namespace, e.Spec.Service.Port)
	if e.Spec.Service.Subset != "" {
		to += " subset " + e.Spec.Service.Subset
	}
	return to
}

func condition(m *api.Match) string {
	if m == nil {
		return ""
	}
	var parts []string
	for _, h := range m.Headers {
		if h.Exact != "" {
			parts = append(parts, fmt.Sprintf("%s=%s", h.Name, h.Exact))
		} else {
			parts = append(parts, fmt.Sprintf("%s=%s…", h.Name, h.Prefix))
		}
	}
	slices.Sort(parts)
	return " with " + strings.Join(parts, " and ")
}

func shares(s api.Spec, c api.Consumption, r api.Route) string {
	parts := make([]string, 0, len(r.To))
	for _, d := range r.To {
		to := "to the local service"
		if d.Subset != "" {
			to += "'s subset " + d.Subset
		}
		if d.Target == api.TargetRemote {
			p, _ := s.Peer(c.Spec.From.Peer)
			to = fmt.Sprintf("to peer %s at %s%s (%s, %s)", c.Spec.From.Peer, p.Spec.SNI, c.Spec.From.Path, p.Spec.ServerIdentity, address(p))
		}
		parts = append(parts, fmt.Sprintf("%d%% %s", d.Weight, to))
	}
	return strings.Join(parts, " and ")
}

// address of a peer that is called. One in an inventory may have none: an earlier
// version wrote down what was in force without it.
func address(p api.Peer) string {
	if p.Spec.Address == nil {
		return "address unknown"
	}
	return fmt.Sprintf("%s:%d", p.Spec.Address.Host, p.Spec.Address.Port)
}

// sentences are sorted by subject, losses first: they are what a reviewer must
// not miss.
func sentences(groups map[group][]string) []Effect {
	out := make([]Effect, 0, len(groups))
	for g, verbs := range groups {
		slices.Sort(verbs)
		what := strings.Join(verbs, ", ") + " " + g.place
		text := map[EffectKind]string{
			Gains: "%s gains %s, to %s", Loses: "%s loses %s, to %s", Changes: "%s keeps %s, now to %s",
		}[g.kind]
		if verbs[0] == "" { // a consumption: it names no methods
			what = g.place
			text = map[EffectKind]string{
				Gains: "%s: %s now goes %s", Loses: "%s: %s no longer goes %s", Changes: "%s: %s now goes %s",
			}[g.kind]
		}
		out = append(out, Effect{Kind: g.kind, Subject: g.subject, Sentence: fmt.Sprintf(text, g.subject, what, g.story)})
	}
	slices.SortFunc(out, func(a, b Effect) int {
		return slices.Compare([]string{a.Subject, order(a.Kind), a.Sentence}, []string{b.Subject, order(b.Kind), b.Sentence})
	})
	return out
}

func order(k EffectKind) string {
	return map[EffectKind]string{Loses: "1", Changes: "2", Gains: "3"}[k]
}
