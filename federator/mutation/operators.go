package mutation

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// objects are the rendered ones of one cluster.
type objects = []*unstructured.Unstructured

// always makes New of a transformation that remembers nothing.
func always(t Transform) func() Transform { return func() Transform { return t } }

// both does one thing after the other.
func both(ts ...Transform) Transform {
	return func(all objects) objects {
		for _, t := range ts {
			all = t(all)
		}
		return all
	}
}

// drop takes away the objects of those parts.
func drop(parts ...Part) Transform {
	return func(all objects) objects {
		return slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool { return slices.Contains(parts, PartOf(o)) })
	}
}

// change visits the specs of the objects of a part.
func change(part Part, visit func(spec map[string]any)) Transform {
	return func(all objects) objects {
		for _, o := range all {
			if spec, is := o.Object["spec"].(map[string]any); is && PartOf(o) == part {
				visit(spec)
			}
		}
		return all
	}
}

// remove takes a field away wherever it stands. "http[].match" is the field
// match of each element of http.
func remove(part Part, path string) Transform {
	return change(part, func(spec map[string]any) {
		at(spec, path, func(owner map[string]any, field string) { delete(owner, field) })
	})
}

// set writes a value to a field wherever its owner stands.
func set(part Part, path string, value any) Transform {
	return change(part, func(spec map[string]any) {
		at(spec, path, func(owner map[string]any, field string) { owner[field] = runtime.DeepCopyJSONValue(value) })
	})
}

// update puts a function of the old value in its place, where there is one.
func update(part Part, path string, f func(old any) any) Transform {
	return change(part, func(spec map[string]any) {
		at(spec, path, func(owner map[string]any, field string) {
			if old, is := owner[field]; is {
				owner[field] = f(old)
			}
		})
	})
}

// at calls f with each owner of the last field of a path.
func at(value any, path string, f func(owner map[string]any, field string)) {
	owner, is := value.(map[string]any)
	if !is {
		return
	}
	head, rest, more := strings.Cut(path, ".")
	if !more {
		f(owner, head)
		return
	}
	name, list := strings.CutSuffix(head, "[]")
	if !list {
		at(owner[name], rest, f)
		return
	}
	elements, _ := owner[name].([]any)
	for _, element := range elements {
		at(element, rest, f)
	}
}

// texts changes each text of a list, and may make several of one.
func texts(f func(string) []string) func(any) any {
	return func(old any) any {
		list, _ := old.([]any)
		var out []any
		for _, one := range list {
			text, _ := one.(string)
			for _, t := range f(text) {
				out = append(out, t)
			}
		}
		return out
	}
}

// text changes a text.
func text(f func(string) string) func(any) any {
	return func(old any) any {
		if s, is := old.(string); is {
			return f(s)
		}
		return old
	}
}

// mapping spells a JSON object.
type mapping = map[string]any

// list spells a JSON array.
func list(values ...any) []any { return values }
