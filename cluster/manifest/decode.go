// Package manifest applies and deletes Kubernetes objects on any cluster, with
// nothing but its API. It knows neither what the objects mean nor who made the
// cluster.
package manifest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Decode reads the objects of a YAML or JSON text of one or more documents, in
// their order. Empty documents are passed over, Lists are taken apart. name
// says in errors where the text came from.
func Decode(name string, text []byte) ([]*unstructured.Unstructured, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	var all []*unstructured.Unstructured
	for n := 1; ; n++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", name, n, err)
		}
		objects, err := decodeOne(document)
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", name, n, err)
		}
		all = append(all, objects...)
	}
}

func decodeOne(document []byte) ([]*unstructured.Unstructured, error) {
	var fields map[string]any
	// Strict: a key that stands twice is a mistake that would be lost.
	if err := yaml.UnmarshalStrict(document, &fields); err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, nil
	}
	object := &unstructured.Unstructured{Object: normalized(fields)}
	if !object.IsList() {
		return []*unstructured.Unstructured{object}, check(object)
	}
	list, err := object.ToList()
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	var items []*unstructured.Unstructured
	for i := range list.Items {
		if err := check(&list.Items[i]); err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		items = append(items, &list.Items[i])
	}
	return items, nil
}

func check(object *unstructured.Unstructured) error {
	switch {
	case object.GetAPIVersion() == "":
		return errors.New("apiVersion is missing")
	case object.GetKind() == "":
		return errors.New("kind is missing")
	}
	// YAML reads a bare y, n, on or 1 as something else than text. The getters
	// would give "" for it, and the object would land in another namespace.
	for _, field := range []string{"name", "namespace"} {
		value, _, err := unstructured.NestedFieldNoCopy(object.Object, "metadata", field)
		if _, text := value.(string); err != nil || (value != nil && !text) {
			return fmt.Errorf("%s: metadata.%s is not a text: put it in quotes", object.GetKind(), field)
		}
	}
	if object.GetName() == "" {
		return fmt.Errorf("%s: metadata.name is missing", object.GetKind())
	}
	return nil
}

// normalized turns whole numbers into int64, the only integer that
// unstructured objects may hold (a deep copy panics on another).
func normalized(fields map[string]any) map[string]any {
	for key, value := range fields {
		fields[key] = normalizedValue(value)
	}
	return fields
}

func normalizedValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return normalized(v)
	case []any:
		for i := range v {
			v[i] = normalizedValue(v[i])
		}
	case float64:
		if whole := int64(v); float64(whole) == v {
			return whole
		}
	}
	return value
}
