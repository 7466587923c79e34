package plan

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/pmezard/go-difflib/difflib"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/internal/kube"
)

// diffContext is how many unchanged lines stand around a change.
const diffContext = 3

// written drops what the API server writes by itself; the rest is what people
// and engines disagree about. A status never counts.
func written(o *unstructured.Unstructured) map[string]any {
	if o == nil {
		return nil
	}
	c := o.DeepCopy().Object
	delete(c, "status")
	for _, f := range []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"} {
		unstructured.RemoveNestedField(c, "metadata", f)
	}
	return c
}

func same(a, b *unstructured.Unstructured) bool {
	return reflect.DeepEqual(written(a), written(b))
}

// others are the managers beside the engine, with the time of their last write.
func others(o *unstructured.Unstructured) []string {
	var out []string
	for _, m := range o.GetManagedFields() {
		if m.Manager == kube.FieldManager || m.Subresource != "" {
			continue
		}
		text := m.Manager
		if m.Time != nil {
			text += " at " + m.Time.UTC().Format(time.RFC3339)
		}
		out = append(out, text)
	}
	return out
}

// managers are those beside the engine, each once.
func managers(o *unstructured.Unstructured) []string {
	var out []string
	for _, m := range o.GetManagedFields() {
		if m.Manager != kube.FieldManager && m.Subresource == "" && !slices.Contains(out, m.Manager) {
			out = append(out, m.Manager)
		}
	}
	return out
}

// diff is a unified diff of two objects' YAML; either may be nil.
func diff(before, after *unstructured.Unstructured) (string, error) {
	a, err := text(before)
	if err != nil {
		return "", err
	}
	b, err := text(after)
	if err != nil {
		return "", err
	}
	out, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(a), B: difflib.SplitLines(b),
		FromFile: "live", ToFile: "wanted", Context: diffContext,
	})
	if err != nil {
		return "", fmt.Errorf("diff: %w", err)
	}
	return out, nil
}

func text(o *unstructured.Unstructured) (string, error) {
	if o == nil {
		return "", nil
	}
	raw, err := yaml.Marshal(written(o))
	if err != nil {
		return "", fmt.Errorf("encode %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return string(raw), nil
}
