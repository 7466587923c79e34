package manifest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecode: whatever the bytes, what is read as an object says its kind.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: b}\n",
		"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n", "---\n---\n", "a: &a [*a]", "kind: [", "{}", "",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		objects, err := Decode("fuzz", text)
		if err != nil {
			return
		}
		for _, o := range objects {
			require.NotEmpty(t, o.GetKind())
			require.NotEmpty(t, o.GetAPIVersion())
		}
	})
}
