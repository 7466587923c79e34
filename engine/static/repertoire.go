package static

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/fixtures/seed"
)

// gateways is the namespace of the seed's private gateways.
const gateways = "istio-private-gateways"

// place is where an object is.
type place struct{ kind, namespace, name string }

func placeOf(o *unstructured.Unstructured) place {
	return place{o.GroupVersionKind().GroupKind().String(), o.GetNamespace(), o.GetName()}
}

// shelf is a kind in a namespace.
type shelf struct {
	kind      schema.GroupVersionKind
	namespace string
}

// repertoire is what the engine knows.
type repertoire struct {
	steps map[string]seed.Step
	// asked is what the step of each name is asked for by.
	asked map[string]state
	// shelves are all on which some step puts something.
	shelves []shelf
}

// load reads the steps of the seed. Whatever is wrong with one of them is found
// here and not in the middle of a scenario.
func load() (repertoire, error) {
	all, err := seed.Steps()
	if err != nil {
		return repertoire{}, err
	}
	r := repertoire{steps: map[string]seed.Step{}, asked: map[string]state{}}
	for _, s := range all {
		r.steps[s.Name] = s
	}
	for _, s := range all {
		w, err := read(s.Declarations)
		if err != nil {
			return r, fmt.Errorf("step %s: declarations: %w", s.Name, err)
		}
		for name, other := range r.asked {
			if r.steps[name].Cluster == s.Cluster && other == w.state() {
				return r, fmt.Errorf("steps %s and %s of %s are asked for by the same declarations", name, s.Name, s.Cluster)
			}
		}
		r.asked[s.Name] = w.state()
		objects, err := r.objects(s, parameters(nobody()))
		if err != nil {
			return r, err
		}
		for _, o := range objects {
			one := shelf{o.GroupVersionKind(), o.GetNamespace()}
			if !slices.Contains(r.shelves, one) {
				r.shelves = append(r.shelves, one)
			}
		}
	}
	return r, nil
}

// wanted are the objects that declarations ask for. None is what a mesh that
// federates nothing has.
func (r repertoire) wanted(declarations string) ([]*unstructured.Unstructured, error) {
	w, err := read(declarations)
	if err != nil {
		return nil, err
	}
	if w.mesh.name == "" {
		return nil, fmt.Errorf("%w: there is no Mesh among the declarations, so that nobody knows whose they are", engine.ErrUnsupported)
	}
	if len(w.services) == 0 {
		return nil, nil
	}
	var known []string
	for name, s := range r.steps {
		if s.Cluster != w.mesh.name {
			continue
		}
		if r.asked[name] == w.state() {
			if err := w.strangers(); err != nil {
				return nil, err
			}
			return r.objects(s, parameters(w))
		}
		known = append(known, name)
	}
	slices.Sort(known)
	return nil, fmt.Errorf("%w: the seed has no step in %s with %s; it has %s",
		engine.ErrUnsupported, w.mesh.name, strings.Join(w.services, " and "), strings.Join(known, ", "))
}

// maxSteps bounds how long a chain of steps may be: one that is longer leads in a
// circle.
const maxSteps = 10

// objects are those of a step over those of the ones before it.
func (r repertoire) objects(s seed.Step, values map[string]string) ([]*unstructured.Unstructured, error) {
	chain := []seed.Step{s}
	for s.After != "" {
		before, known := r.steps[s.After]
		if !known || before.Cluster != s.Cluster || len(chain) == maxSteps {
			return nil, fmt.Errorf("step %s: it cannot come after %s", s.Name, s.After)
		}
		s = before
		chain = append(chain, s)
	}
	slices.Reverse(chain)
	var all []*unstructured.Unstructured
	for _, one := range chain {
		text, err := expand(one.Manifests, values)
		if err != nil {
			return nil, fmt.Errorf("step %s: %w", one.Name, err)
		}
		objects, err := manifest.Decode("step "+one.Name, []byte(text))
		if err != nil {
			return nil, err
		}
		all = over(all, objects)
	}
	for _, o := range all {
		mark(o)
	}
	return all, nil
}

// over replaces objects in their place and adds the new ones behind them.
func over(all, objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	for _, o := range objects {
		at := slices.IndexFunc(all, func(old *unstructured.Unstructured) bool { return placeOf(old) == placeOf(o) })
		if at < 0 {
			all = append(all, o)
			continue
		}
		all[at] = o
	}
	return all
}

// plain is what may stand for a variable: nothing that YAML reads as more than
// a word.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]*$`)

// expand puts values in the place of variables.
func expand(text string, values map[string]string) (string, error) {
	var err error
	expanded := os.Expand(text, func(name string) string {
		value, known := values[name]
		switch {
		case !known:
			err = fmt.Errorf("nobody knows the variable $%s", name)
		case !plain.MatchString(value) || strings.HasSuffix(value, ":"):
			err = fmt.Errorf("%w: %q cannot stand for $%s", engine.ErrUnsupported, value, name)
		}
		return value
	})
	return expanded, err
}
