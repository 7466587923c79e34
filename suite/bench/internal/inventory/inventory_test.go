package inventory_test

import (
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/meshfed/meshfed/suite/bench/internal/inventory"
)

func TestDifferencesAreNamedOneByOne(t *testing.T) {
	first, second := inventory.Object{UID: "1", Generation: 1}, inventory.Object{UID: "1", Generation: 2}
	before := inventory.Inventory{"services a/x": {UID: "0"}, "gateways a/g": first, "gateways a/h": first, "gateways a/i": first}
	now := inventory.Inventory{"services a/x": {UID: "0"}, "gateways a/g": second, "gateways b/new": first, "gateways a/i": {UID: "2", Generation: 1}}
	assert.Equal(t, []string{"changed: gateways a/g", "gone: gateways a/h", "left: gateways b/new", "made again: gateways a/i"}, now.Since(before))
	assert.Nil(t, now.Since(now))
}

func meta(change func(*metav1.ObjectMeta)) inventory.Object {
	o := metav1.PartialObjectMetadata{}
	change(&o.ObjectMeta)
	return inventory.ObjectOf(o)
}

func TestWhatNoGenerationCountsIsAChange(t *testing.T) {
	as := meta(func(*metav1.ObjectMeta) {})
	for name, change := range map[string]func(*metav1.ObjectMeta){
		"label":      func(o *metav1.ObjectMeta) { o.Labels = map[string]string{"a": "b"} },
		"annotation": func(o *metav1.ObjectMeta) { o.Annotations = map[string]string{"a": "b"} },
		"owner":      func(o *metav1.ObjectMeta) { o.OwnerReferences = []metav1.OwnerReference{{Name: "x"}} },
		"finalizer":  func(o *metav1.ObjectMeta) { o.Finalizers = []string{"a/b"} },
	} {
		assert.NotEqual(t, as, meta(change), name)
	}
	assert.Equal(t, as, meta(func(o *metav1.ObjectMeta) {
		o.ResourceVersion, o.Annotations = "7", map[string]string{"control-plane.alpha.kubernetes.io/leader": "{}"}
	}), "whoever is elected says so every few seconds")
}

// api answers every list with one object, but those that it refuses.
func api(t *testing.T, refusals map[string]int) *rest.Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		status := refusals[path.Base(r.URL.Path)]
		if status != 0 {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","code":` + strconv.Itoa(status) + `,"reason":"` + map[int]string{403: "Forbidden", 404: "NotFound"}[status] + `"}`))
			return
		}
		_, _ = w.Write([]byte(`{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","items":[{"metadata":{"name":"x"}}]}`))
	}))
	t.Cleanup(server.Close)
	return &rest.Config{Host: server.URL, QPS: -1}
}

func TestWhatOneMayNotListIsDoneWithoutOnlyWhereThatIsOptional(t *testing.T) {
	for name, c := range map[string]struct {
		refusals map[string]int
		fails    string
	}{
		"nothing":            {nil, ""},
		"roles":              {map[string]int{"roles": 403}, ""},
		"no such kind":       {map[string]int{"wasmplugins": 404}, ""},
		"gateways":           {map[string]int{"gateways": 403}, "list gateways"},
		"not for good cause": {map[string]int{"roles": 500}, "list roles"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := inventory.New(api(t, c.refusals))
			require.NoError(t, err)
			all, err := r.Take(t.Context())
			if c.fails != "" {
				require.ErrorContains(t, err, c.fails)
				return
			}
			require.NoError(t, err)
			assert.Len(t, all, 22-len(c.refusals))
		})
	}
}
