package manifest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDocumentsAreReadInOrderAndEmptyOnesPassedOver(t *testing.T) {
	objects, err := Decode("f.yaml", []byte("# only a comment\n---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {ports: [{port: 80}]}\n---\n---\n{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\"}}\n"))
	require.NoError(t, err)
	require.Len(t, objects, 2)
	require.Equal(t, "Service", objects[0].GetKind())
	require.Equal(t, "a", objects[1].GetName())
	require.NotPanics(t, func() { objects[0].DeepCopy() }, "whole numbers are int64")
}

func TestListsAreTakenApart(t *testing.T) {
	objects, err := Decode("f.yaml", []byte("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: one}}\n- {apiVersion: v1, kind: Pod, metadata: {name: two}}\n"))
	require.NoError(t, err)
	require.Len(t, objects, 2)
}

func TestBadDocumentsAreOneErrorThatSaysWhere(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"no kind":                {"apiVersion: v1\nmetadata: {name: a}\n", "kind is missing"},
		"no name":                {"apiVersion: v1\nkind: Pod\n", "Pod: metadata.name is missing"},
		"no apiVersion":          {"kind: Pod\nmetadata: {name: a}\n", "apiVersion is missing"},
		"a key twice":            {"apiVersion: v1\nkind: Pod\nkind: Pod\nmetadata: {name: a}\n", "kind"},
		"not YAML":               {"a: [", "yaml"},
		"a list of words":        {"- a\n- b\n", "cannot unmarshal"},
		"a name that is no text": {"apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: n}\n", "metadata.namespace is not a text"},
		"nameless item":          {"apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod}]\n", "item 0"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode("f.yaml", []byte("---\n"+c.text))
			require.ErrorContains(t, err, "f.yaml: document")
			require.ErrorContains(t, err, c.says)
		})
	}
}
