package admit

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/meshfed/meshfed/federator/api"
)

// Form is how much of a declaration is admitted.
type Form string

// The forms; the set is closed.
const (
	// FormWhole: as it stands.
	FormWhole Form = "whole"
	// FormPart: an exposure less the consumers that are refused.
	FormPart Form = "part"
	// FormEarlier: the version that is in force stays, less what the newer one
	// takes away.
	FormEarlier Form = "earlier"
	// FormNone: nothing of it.
	FormNone Form = "none"
)

// Ruling is what is decided about one declaration.
type Ruling struct {
	Form Form
	// Problems of the declaration as it stands; empty only with FormWhole.
	Problems []api.Problem
}

// Input is what a decision rests on.
type Input struct {
	// Wish in order of precedence: of two that exclude each other, and neither of
	// which is in force, the first wins.
	Wish api.Spec
	// Held is what is in force. A declaration that claims no more than it has there
	// goes before every other, and none loses what it has there to another.
	Held api.Spec
	// Vetoed are declarations that the cluster cannot take as they stand, with the
	// reason; they are not asked for again, but may stay as they were.
	Vetoed map[api.Key][]api.Problem
}

// Decision is a valid spec and a ruling on each declaration of the wish.
type Decision struct {
	Spec    api.Spec
	Rulings map[api.Key]Ruling
}

// Decide admits what can be admitted. The error is a *api.ValidationError about
// the Mesh itself, without which nothing can be decided.
func Decide(in Input) (Decision, error) {
	if err := api.Validate(api.Spec{Mesh: in.Wish.Mesh}); err != nil {
		return Decision{}, err
	}
	d := &decider{Input: in, held: byKey(items(in.Held)), wished: byKey(items(in.Wish)), rulings: map[api.Key]Ruling{}}
	d.vetoRenamed()
	out := d.admit()
	return Decision{Spec: out, Rulings: d.rulings}, nil
}

type decider struct {
	Input
	held    map[api.Key]item
	wished  map[api.Key]item
	rulings map[api.Key]Ruling
}

// admit settles the peers before those that name them.
func (d *decider) admit() api.Spec {
	wish := items(d.Wish)
	peers := len(d.Wish.Peers)
	return d.settle(d.settle(api.Spec{Mesh: d.Wish.Mesh}, wish[:peers]), wish[peers:])
}

// settle adds declarations to a valid spec. It tries the best version of each and
// puts a lesser one in the place of those that do not fit, until all is valid. Then
// it tries each again that is not there as it stands, one by one: what was excluded
// only by another one that is out itself comes back.
func (d *decider) settle(s api.Spec, wish []item) api.Spec {
	in := d.first(wish)
	result := with(s, in)
	for bad := problems(result); len(bad) > 0; bad = problems(result) {
		in = d.lessen(in, bad)
		result = with(s, in)
	}
	tried := make(map[api.Key]version, len(in))
	for _, v := range in {
		tried[v.key] = v
	}
	again := slices.Clone(wish)
	slices.SortStableFunc(again, func(a, b item) int { return d.novelty(a) - d.novelty(b) })
	for _, i := range again {
		v, is := tried[i.key]
		switch {
		case is && (!v.lessened || v.form == FormPart):
			// The peers are settled: whoever names one that is out gets no more than this.
			d.rulings[i.key] = Ruling{Form: v.form, Problems: slices.Concat(d.Vetoed[i.key], v.bad)}
		case is:
			result = d.retry(i.without(result), i)
		default:
			result = d.retry(result, i)
		}
	}
	return result
}

// version of a declaration that is tried.
type version struct {
	item
	form Form
	// lessened: it is there in place of a better one that did not fit.
	lessened bool
	// bad is what is wrong with the version of which this is a part.
	bad []api.Problem
	// novelty and place in the wish are its precedence.
	novelty, place int
}

func with(s api.Spec, list []version) api.Spec {
	s = clipped(s)
	for _, v := range list {
		v.addTo(&s)
	}
	return s
}

// byPrecedence sorts first who claims only what he has in force: who has a path
// keeps it, however old the one who wants it.
func byPrecedence(list []version) {
	slices.SortFunc(list, func(a, b version) int { return cmp.Or(a.novelty-b.novelty, a.place-b.place) })
}

// first chooses between the version wished for and, where that is vetoed, the
// one in force.
func (d *decider) first(wish []item) []version {
	var in []version
	for place, i := range wish {
		v, is := version{item: i, form: FormWhole, novelty: d.novelty(i), place: place}, true
		if _, vetoed := d.Vetoed[i.key]; vetoed {
			v, is = d.earlier(v)
		}
		if is {
			in = append(in, v)
		}
	}
	byPrecedence(in)
	return in
}

// lessen puts the next lesser version in the place of each that has a problem, and
// takes out what has none. What an owner has in force is tried at once and goes
// before whatever is new: his refused move must not hand his place to another. It
// ends, because consumers only go, and the version in force comes once.
func (d *decider) lessen(in []version, bad map[string][]api.Problem) []version {
	var out []version
	touched := false
	for _, v := range in {
		about := bad[v.key.String()]
		is := true
		if len(about) > 0 {
			v, is = d.lesser(v, about)
			v.lessened, touched = true, true
		}
		if is {
			out = append(out, v)
		}
	}
	if !touched {
		// Every problem is about a declaration; were one about none, nothing must
		// get in by it.
		return nil
	}
	byPrecedence(out)
	return out
}

func (d *decider) lesser(v version, bad []api.Problem) (version, bool) {
	if part, ok := lessConsumers(v.item, bad); ok {
		if v.item, v.bad = part, append(v.bad, bad...); v.form == FormWhole {
			v.form = FormPart
		}
		return v, true
	}
	if v.form == FormEarlier {
		return version{}, false
	}
	return d.earlier(v)
}

// earlier is what is in force of a declaration, less what the wish takes away.
func (d *decider) earlier(v version) (version, bool) {
	before, ok := d.held[v.key]
	if !ok {
		return version{}, false
	}
	narrowed, ok := narrow(before, d.wished[v.key])
	return version{item: narrowed, form: FormEarlier, place: v.place}, ok
}

func (d *decider) novelty(i item) int {
	_, vetoed := d.Vetoed[i.key]
	if before, ok := d.held[i.key]; ok && (vetoed || i.claimsNoMoreThan(before)) {
		return 0
	}
	return 1
}

// retry adds to a valid spec the most of a declaration that fits.
func (d *decider) retry(s api.Spec, i item) api.Spec {
	bad := d.Vetoed[i.key]
	if bad == nil {
		if bad = blamed(problems(i.with(s)), i.key); len(bad) == 0 {
			d.rulings[i.key] = Ruling{Form: FormWhole}
			return i.with(s)
		}
		if part, ok := lessConsumers(i, bad); ok && len(problems(part.with(s))) == 0 {
			d.rulings[i.key] = Ruling{Form: FormPart, Problems: bad}
			return part.with(s)
		}
	}
	if before, ok := d.held[i.key]; ok {
		if narrowed, ok := narrow(before, i); ok {
			// What was in force may name a peer that is gone by now, as the newer one does.
			if rest, ok := lessConsumers(narrowed, problems(narrowed.with(s))[i.key.String()]); ok {
				narrowed = rest
			}
			if len(problems(narrowed.with(s))) == 0 {
				d.rulings[i.key] = Ruling{Form: FormEarlier, Problems: bad}
				return narrowed.with(s)
			}
		}
	}
	d.rulings[i.key] = Ruling{Form: FormNone, Problems: bad}
	return s
}

// blamed are the problems that a declaration has, or makes for those that are in
// already: it comes last, so what is wrong with them now is wrong because of it.
func blamed(all map[string][]api.Problem, key api.Key) []api.Problem {
	if own := all[key.String()]; len(own) > 0 {
		return own
	}
	var out []api.Problem
	for _, about := range slices.Sorted(maps.Keys(all)) {
		for _, p := range all[about] {
			out = append(out, api.Problem{Declaration: key.String(), Reason: "excludes one that is admitted already: " + p.String(), Cause: p.Cause})
		}
	}
	return out
}

// problems of a spec by the declaration they are about.
func problems(s api.Spec) map[string][]api.Problem {
	var invalid *api.ValidationError
	if !errors.As(api.Validate(s), &invalid) {
		return nil
	}
	out := map[string][]api.Problem{}
	for _, p := range invalid.Problems {
		out[p.Declaration] = append(out[p.Declaration], p)
	}
	return out
}
