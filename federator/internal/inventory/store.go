package inventory

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// Name of the ConfigMap.
const Name = "federator-inventory"

func ref(namespace string) kube.Ref {
	return kube.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: namespace, Name: Name}
}

// Load reads the inventory, nil when there is none. One that cannot be read, or
// that belongs to another mesh, is an error: guessing would orphan or delete.
func Load(ctx context.Context, c kube.Client, namespace, mesh string) (*Inventory, error) {
	inv, err := Recall(ctx, c, namespace)
	if err == nil && inv != nil && inv.Mesh != mesh {
		return nil, &kube.ConflictError{Object: ref(namespace),
			Reason: fmt.Sprintf("it belongs to mesh %s, the declarations are of mesh %s; cancel the other one first", inv.Mesh, mesh)}
	}
	return inv, err
}

// Recall reads the inventory whichever mesh it belongs to, nil when there is
// none.
func Recall(ctx context.Context, c kube.Client, namespace string) (*Inventory, error) {
	o, err := c.Get(ctx, ref(namespace))
	if err != nil || o == nil {
		return nil, err
	}
	raw, err := content(o)
	if err == nil {
		inv := &Inventory{version: o.GetResourceVersion()}
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err = dec.Decode(inv); err == nil {
			return inv, nil
		}
	}
	return nil, fmt.Errorf("read inventory %s: %w; it was edited or made by another version", ref(namespace), err)
}

// Save writes the inventory if nobody else has since it was loaded, and returns
// it with its new version. One that takes more room than there is gives a
// *TooLongError.
func (inv Inventory) Save(ctx context.Context, c kube.Client, namespace string) (*Inventory, error) {
	raw, err := inv.encode()
	if err != nil {
		return nil, err
	}
	r := ref(namespace)
	if len(raw) > room {
		return nil, fmt.Errorf("write inventory: %w", &TooLongError{Object: r, Size: len(raw)})
	}
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": r.APIVersion, "kind": r.Kind,
		"metadata": map[string]any{
			"name": r.Name, "namespace": r.Namespace,
			"labels": map[string]any{render.LabelManagedBy: render.Manager, render.LabelMesh: inv.Mesh},
		},
		"binaryData": map[string]any{field: base64.StdEncoding.EncodeToString(raw)},
	}}
	o.SetResourceVersion(inv.version)
	out, err := c.Put(ctx, o)
	if kube.IsTooLong(err) {
		return nil, fmt.Errorf("write inventory: %w", &TooLongError{Object: r, Size: len(raw), Refusal: err})
	}
	if err != nil {
		return nil, fmt.Errorf("write inventory: %w", err)
	}
	inv.version = out.GetResourceVersion()
	return &inv, nil
}

// Delete removes the inventory, the last trace of the engine.
func Delete(ctx context.Context, c kube.Client, namespace string) (bool, error) {
	o, err := c.Get(ctx, ref(namespace))
	if err != nil || o == nil {
		return false, err
	}
	uid := o.GetUID()
	return c.Delete(ctx, ref(namespace), uid)
}
