package federator

import (
	"context"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/kube"
)

// unlisted are the conflicts with those objects of this mesh's labels that nothing
// lists and nothing is about to take over. They are told and never deleted: anybody
// can set a label.
func (e *Engine) unlisted(ctx context.Context, home string, found []kube.Ref, objects []*unstructured.Unstructured) ([]*ConflictError, error) {
	wanted := make(map[kube.Ref]bool, len(objects))
	for _, o := range objects {
		wanted[kube.RefOf(o)] = true
	}
	found = slices.DeleteFunc(slices.Clone(found), func(r kube.Ref) bool { return wanted[r] })
	if len(found) == 0 {
		return nil, nil
	}
	// Another engine may have announced and made them since the inventory was read.
	now, err := inventory.Recall(ctx, e.client, home)
	if err != nil {
		return nil, err
	}
	listed := now.UIDs()
	var out []*ConflictError
	for _, ref := range found {
		if _, is := listed[ref]; !is {
			out = append(out, &ConflictError{Object: ref, Reason: "it is labelled as this mesh's, and no inventory lists it, so that nothing withdraws it; " +
				"delete it, or declare again what made it and then withdraw that"})
		}
	}
	return out, nil
}

func joined(conflicts []*ConflictError) error {
	errs := make([]error, len(conflicts))
	for i, c := range conflicts {
		errs[i] = c
	}
	return errors.Join(errs...)
}
