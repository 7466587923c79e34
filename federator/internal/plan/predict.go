package plan

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// Predict says what an object would be after applying desired to live (nil when
// there is none).
type Predict func(ctx context.Context, live, desired *unstructured.Unstructured) (*unstructured.Unstructured, error)

// ByServer asks the API server to rehearse the apply: exact, with defaults and
// admission, and field conflicts come to light. It needs the right to patch.
func ByServer(c kube.Client) Predict {
	return func(ctx context.Context, _, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		return c.Apply(ctx, desired, true)
	}
}

// Here lays desired over live without asking anybody: mappings are merged,
// lists and values replaced. It needs no right to write. It is an estimate: a
// field that an earlier version set and this one no longer does stays unseen,
// and what the server would default inside a list shows up as a change.
func Here(_ context.Context, live, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if live == nil {
		return desired, nil
	}
	out := live.DeepCopy()
	overlay(out.Object, desired.DeepCopy().Object)
	return out, nil
}

// Exactly says what an object ought to be, whoever owns its fields: an apply
// leaves what others have added to an object, and that is what drift is about. Its
// metadata stays, but for what Istio reads: other labels and finalizers decide
// nothing. A Service counts by what was asked for, because the API server fills in
// the rest.
func Exactly(ctx context.Context, live, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	out, err := Here(ctx, live, desired)
	if err != nil || live == nil || desired.GetKind() == "Service" {
		return out, err
	}
	out.Object["spec"] = desired.DeepCopy().Object["spec"]
	for _, field := range []string{"labels", "annotations"} {
		is, _, _ := unstructured.NestedStringMap(out.Object, "metadata", field)
		want, _, _ := unstructured.NestedStringMap(desired.Object, "metadata", field)
		for _, key := range marks("", want, is) {
			unstructured.RemoveNestedField(out.Object, "metadata", field, key)
		}
	}
	return out, nil
}

// asRendered says without the API server's help whether an object is Exactly what is
// desired.
func asRendered(ctx context.Context, live, desired *unstructured.Unstructured) bool {
	if live == nil {
		return false
	}
	want, err := Exactly(ctx, live, desired)
	return err == nil && same(live, want)
}

// added is the conflict with those who have added fields to what an apply leaves:
// where that is not Exactly what is desired.
func added(after, desired *unstructured.Unstructured) *kube.ConflictError {
	if desired.GetKind() == "Service" {
		return nil
	}
	is, _ := after.Object["spec"].(map[string]any)
	want, _ := desired.Object["spec"].(map[string]any)
	fields := beyond("spec.", want, is)
	fields = append(fields, marks("metadata.labels.", desired.GetLabels(), after.GetLabels())...)
	fields = append(fields, marks("metadata.annotations.", desired.GetAnnotations(), after.GetAnnotations())...)
	if len(fields) == 0 {
		return nil
	}
	return &kube.ConflictError{Object: kube.RefOf(desired), Managers: managers(after), Fields: fields,
		Reason: "nobody declared these fields, and an apply leaves them to who has added them; remove them"}
}

// marks are labels or annotations that Istio reads and nobody declared.
func marks(at string, want, is map[string]string) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(is)) {
		if _, wanted := want[key]; !wanted && render.ReadByIstio(key) {
			out = append(out, at+key)
		}
	}
	return out
}

// beyond are the fields of a mapping that another one does not have as they are.
func beyond(at string, want, is map[string]any) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(is)) {
		below, isMap := is[key].(map[string]any)
		wanted, wasMap := want[key].(map[string]any)
		switch {
		case isMap && wasMap:
			out = append(out, beyond(at+key+".", wanted, below)...)
		case !reflect.DeepEqual(want[key], is[key]):
			out = append(out, at+key)
		}
	}
	return out
}

func overlay(under, over map[string]any) {
	for k, v := range over {
		m, isMap := v.(map[string]any)
		below, wasMap := under[k].(map[string]any)
		if isMap && wasMap {
			overlay(below, m)
			continue
		}
		under[k] = v
	}
}
