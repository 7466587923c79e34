package admit

import (
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
	// Held is what is in force. A declaration that stands there unchanged goes
	// before every other.
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
	d := &decider{Input: in, held: byKey(items(in.Held)), rulings: map[api.Key]Ruling{}}
	d.vetoRenamed()
	out := d.admit()
	return Decision{Spec: out, Rulings: d.rulings}, nil
}

type decider struct {
	Input
	held    map[api.Key]item
	rulings map[api.Key]Ruling
}

// admit takes the best version of everything, drops what does not fit until the
// rest is valid, and then tries each that is out again, one by one: what was
// excluded only by another one that is out itself comes back.
func (d *decider) admit() api.Spec {
	in, out := d.first()
	for bad := problems(spec(d.Wish.Mesh, in)); len(bad) > 0; bad = problems(spec(d.Wish.Mesh, in)) {
		var kept []item
		for _, i := range in {
			if len(bad[i.key.String()]) == 0 {
				kept = append(kept, i)
			}
		}
		if len(kept) == len(in) {
			// Every problem is about a declaration; were one about none, nothing must
			// get in by it.
			kept = nil
		}
		in = kept
	}
	chosen := byKey(in)
	for _, i := range d.ordered() {
		if _, is := chosen[i.key]; !is && !slices.ContainsFunc(out, func(o item) bool { return o.key == i.key }) {
			out = append(out, i)
		}
	}
	result := spec(d.Wish.Mesh, in)
	slices.SortStableFunc(out, func(a, b item) int { return rank(a) - rank(b) })
	for _, i := range out {
		result = d.retry(result, i)
	}
	return result
}

// first chooses between the version wished for and, where that is vetoed, the
// one in force; out are those that have neither.
func (d *decider) first() (in, out []item) {
	for _, i := range d.ordered() {
		bad, vetoed := d.Vetoed[i.key]
		if !vetoed {
			d.rulings[i.key] = Ruling{Form: FormWhole}
			in = append(in, i)
			continue
		}
		before, was := d.held[i.key]
		if was {
			before, was = narrow(before, i)
		}
		if !was {
			out = append(out, i)
			continue
		}
		d.rulings[i.key] = Ruling{Form: FormEarlier, Problems: bad}
		in = append(in, before)
	}
	return in, out
}

func rank(i item) int {
	if i.peer != nil {
		return 0
	}
	return 1
}

// ordered is the wish with what is in force unchanged first: who has a path
// keeps it, however old the one who wants it.
func (d *decider) ordered() []item {
	all := items(d.Wish)
	slices.SortStableFunc(all, func(a, b item) int {
		if rank(a) != rank(b) {
			return rank(a) - rank(b)
		}
		return d.novelty(a) - d.novelty(b)
	})
	return all
}

func (d *decider) novelty(i item) int {
	_, vetoed := d.Vetoed[i.key]
	if before, ok := d.held[i.key]; ok && (vetoed || before.same(i)) {
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
