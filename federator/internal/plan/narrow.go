package plan

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// closed is a label that no pod has.
const closed = api.Group + "/closed"

// withdrawal is how a live object looks once it has lost what it shall not allow any
// more, and gained nothing; nil when it loses nothing. The object stays, even if
// nothing of it is left: one that is made anew would have another UID than the
// inventory knows.
func withdrawal(live, desired *unstructured.Unstructured) *unstructured.Unstructured {
	switch render.RoleOf(desired) {
	case render.RoleGrant:
		return narrowed(live, desired)
	case render.RoleListener:
		return unheard(live, desired)
	}
	return nil
}

// unheard is a listener that moves to other pods, with a selector that matches none.
// When a gateway's selector changes, its policies move one by one; pods that had lost
// their policies and kept the listener would admit everybody.
func unheard(live, desired *unstructured.Unstructured) *unstructured.Unstructured {
	before, _, _ := unstructured.NestedStringMap(live.Object, "spec", "selector")
	now, _, _ := unstructured.NestedStringMap(desired.Object, "spec", "selector")
	if maps.Equal(before, now) {
		return nil
	}
	out := desired.DeepCopy()
	spec, _ := out.Object["spec"].(map[string]any)
	spec["selector"] = map[string]any{closed: "true"}
	return out
}

// narrowed is a grant of what is granted now and will be afterwards, too. Without any
// rule it admits nobody.
func narrowed(live, desired *unstructured.Unstructured) *unstructured.Unstructured {
	before, now := rules(live), rules(desired)
	if within(before, now) {
		return nil
	}
	selector, selects, _ := unstructured.NestedFieldCopy(live.Object, "spec", "selector")
	wanted, _, _ := unstructured.NestedFieldNoCopy(desired.Object, "spec", "selector")
	if within(now, before) && reflect.DeepEqual(selector, wanted) {
		return desired
	}
	out := desired.DeepCopy()
	spec, _ := out.Object["spec"].(map[string]any)
	spec["rules"] = common(before, now)
	// Where the grant holds is no withdrawal: at the pods that it leaves it may be
	// the last one that keeps the gateway shut.
	if selects {
		spec["selector"] = selector
	}
	return out
}

func rules(policy *unstructured.Unstructured) []any {
	out, _, _ := unstructured.NestedSlice(policy.Object, "spec", "rules")
	return out
}

// within says whether every request that a admits is admitted by b. It may say no
// of what it does not understand.
func within(a, b []any) bool { return reflect.DeepEqual(common(a, b), a) || len(a) == 0 }

// common are the rules of a, narrowed to what b admits too. It understands what
// rendering writes; anything else has nothing in common with anything.
func common(a, b []any) []any {
	out := []any{}
	for _, x := range a {
		for _, y := range b {
			if both, ok := meet(x, y); ok {
				out = append(out, both)
			}
		}
	}
	return out
}

// meet is the rule for what two rules of the same callers both admit.
func meet(x, y any) (any, bool) {
	a, okA := x.(map[string]any)
	b, okB := y.(map[string]any)
	if !okA || !okB || !reflect.DeepEqual(a["from"], b["from"]) || !reflect.DeepEqual(a["when"], b["when"]) {
		return nil, false
	}
	one, okA := operation(a)
	other, okB := operation(b)
	if !okA || !okB {
		return nil, false
	}
	both := map[string]any{}
	for field, overlap := range map[string]func(a, b []any) []any{"hosts": shared, "methods": shared, "paths": sharedPaths} {
		switch {
		case one[field] == nil && other[field] == nil:
			continue
		case one[field] == nil:
			both[field] = other[field]
		case other[field] == nil:
			both[field] = one[field]
		default:
			both[field] = overlap(one[field], other[field])
		}
		if len(both[field].([]any)) == 0 {
			return nil, false
		}
	}
	out := map[string]any{"to": []any{map[string]any{"operation": both}}}
	for _, field := range []string{"from", "when"} {
		if v, is := a[field]; is {
			out[field] = v
		}
	}
	return out, true
}

// operation are the lists of a rule's only operation, an absent one is nil. It is
// false for a rule that says more than rendering does.
func operation(rule map[string]any) (map[string][]any, bool) {
	for field := range rule {
		if !slices.Contains([]string{"from", "to", "when"}, field) {
			return nil, false
		}
	}
	to, _ := rule["to"].([]any)
	if len(to) != 1 {
		return nil, false
	}
	only, _ := to[0].(map[string]any)
	fields, is := only["operation"].(map[string]any)
	if !is || len(only) != 1 {
		return nil, false
	}
	out := map[string][]any{}
	for field, v := range fields {
		list, is := v.([]any)
		if !is || len(list) == 0 || slices.ContainsFunc(list, noText) || !slices.Contains([]string{"hosts", "methods", "paths"}, field) {
			return nil, false
		}
		out[field] = list
	}
	return out, true
}

func noText(v any) bool {
	_, is := v.(string)
	return !is
}

func shared(a, b []any) []any {
	return slices.DeleteFunc(slices.Clone(a), func(v any) bool { return !slices.Contains(b, v) })
}

// sharedPaths compares paths of which one that ends in a star stands for all that
// begin like it.
func sharedPaths(a, b []any) []any {
	out := []any{}
	for _, x := range a {
		if slices.ContainsFunc(b, func(y any) bool { return covers(y, x) }) {
			out = append(out, x)
			continue
		}
		for _, y := range b {
			if covers(x, y) {
				out = append(out, y)
			}
		}
	}
	return out
}

// covers says whether every path that y stands for is one of x.
func covers(x, y any) bool {
	wide, _ := x.(string)
	narrow, _ := y.(string)
	prefix, star := strings.CutSuffix(wide, "*")
	return wide == narrow || star && strings.HasPrefix(strings.TrimSuffix(narrow, "*"), prefix)
}
