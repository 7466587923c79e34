package plan

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/internal/kube"
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
// metadata stays: labels and finalizers of others decide nothing. A Service counts
// by what was asked for, because the API server fills in the rest.
func Exactly(ctx context.Context, live, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	out, err := Here(ctx, live, desired)
	if err != nil || live == nil || desired.GetKind() == "Service" {
		return out, err
	}
	out.Object["spec"] = desired.DeepCopy().Object["spec"]
	return out, nil
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
