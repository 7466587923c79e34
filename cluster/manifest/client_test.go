package manifest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// server is the little of an API server that Apply and Delete need: discovery
// of a few kinds, patches and deletions, in the order they came.
type server struct {
	mu sync.Mutex
	// seen lists "METHOD path" of everything but discovery.
	seen []string
	// refuse answers a request instead of the server, if it returns a status.
	refuse func(method, path string) *metav1.Status
	// kindsAfter hides the custom kind until discovery was asked so often.
	kindsAfter, discovered int
	bodies                 map[string]map[string]any
}

func (s *server) client(t *testing.T) *Client {
	t.Helper()
	s.bodies = map[string]map[string]any{}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	c, err := New(&rest.Config{Host: h.URL, QPS: -1})
	require.NoError(t, err)
	return c
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.discovery(r.URL.Path); ok {
		answer(w, http.StatusOK, v)
		return
	}
	s.seen = append(s.seen, r.Method+" "+r.URL.Path)
	if s.refuse != nil {
		if status := s.refuse(r.Method, r.URL.Path); status != nil {
			answer(w, int(status.Code), status)
			return
		}
	}
	switch r.Method {
	case http.MethodPatch:
		body, _ := io.ReadAll(r.Body)
		var object map[string]any
		_ = json.Unmarshal(body, &object)
		s.bodies[r.URL.Path+"?"+r.URL.RawQuery] = object
		answer(w, http.StatusOK, object)
	case http.MethodDelete:
		answer(w, http.StatusOK, &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Success"})
	default:
		answer(w, http.StatusNotFound, status(404, metav1.StatusReasonNotFound, "pods \"x\" not found"))
	}
}

func (s *server) discovery(path string) (any, bool) {
	resources := func(version string, list ...metav1.APIResource) any {
		return metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: version, APIResources: list}
	}
	switch path {
	case "/api":
		return metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}}, true
	case "/apis":
		s.discovered++
		groups := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
		if s.discovered > s.kindsAfter {
			version := metav1.GroupVersionForDiscovery{GroupVersion: "x.io/v1", Version: "v1"}
			groups.Groups = append(groups.Groups, metav1.APIGroup{Name: "x.io", Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version})
		}
		return groups, true
	case "/api/v1":
		return resources("v1",
			metav1.APIResource{Name: "namespaces", Kind: "Namespace"},
			metav1.APIResource{Name: "secrets", Kind: "Secret", Namespaced: true},
			metav1.APIResource{Name: "pods", Kind: "Pod", Namespaced: true}), true
	case "/apis/x.io/v1":
		return resources("x.io/v1", metav1.APIResource{Name: "widgets", Kind: "Widget", Namespaced: true}), true
	}
	return nil, false
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

func status(code int32, reason metav1.StatusReason, message string) *metav1.Status {
	return &metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Code: code, Reason: reason, Message: message}
}

func objects(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	list, err := Decode("test", []byte(text))
	require.NoError(t, err)
	return list
}

const mixed = `
{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: ns}}
`

var manager = ApplyOptions{FieldManager: "tester"}

func TestApplyGoesStageByStageWithItsFieldManager(t *testing.T) {
	s := &server{}
	c := s.client(t)
	require.NoError(t, c.Apply(t.Context(), objects(t, mixed), manager))
	require.Equal(t, []string{"PATCH /api/v1/namespaces/ns", "PATCH /api/v1/namespaces/ns/secrets/s", "PATCH /api/v1/namespaces/ns/pods/p"}, s.seen)
	require.Contains(t, s.bodies, "/api/v1/namespaces/ns?fieldManager=tester&force=false")
}

func TestDeleteGoesTheOtherWayRound(t *testing.T) {
	s := &server{}
	c := s.client(t)
	require.NoError(t, c.Delete(t.Context(), objects(t, mixed)))
	var deleted []string
	for _, line := range s.seen {
		if path, ok := strings.CutPrefix(line, "DELETE /api/v1/namespaces/"); ok {
			deleted = append(deleted, path)
		}
	}
	require.Equal(t, []string{"ns/pods/p", "ns/secrets/s", "ns"}, deleted)
}

func TestWhatIsGoneIsDeletedAlready(t *testing.T) {
	s := &server{refuse: func(string, string) *metav1.Status { return status(404, metav1.StatusReasonNotFound, "not found") }, kindsAfter: 1 << 20}
	c := s.client(t)
	require.NoError(t, c.Delete(t.Context(), objects(t, mixed+"---\n{apiVersion: x.io/v1, kind: Widget, metadata: {name: w}}\n")), "nor does the kind exist")
}

func TestANamespacedObjectWithoutANamespaceIsInDefault(t *testing.T) {
	s := &server{}
	c := s.client(t)
	require.NoError(t, c.Apply(t.Context(), objects(t, "{apiVersion: v1, kind: Pod, metadata: {name: p}}"), manager))
	require.Equal(t, []string{"PATCH /api/v1/namespaces/default/pods/p"}, s.seen)
}

func TestAKindWhoseDefinitionWasJustAppliedIsWaitedFor(t *testing.T) {
	s := &server{kindsAfter: 4}
	c := s.client(t)
	require.NoError(t, c.Apply(t.Context(), objects(t, "{apiVersion: x.io/v1, kind: Widget, metadata: {name: w}}"), manager))
	require.Equal(t, []string{"PATCH /apis/x.io/v1/namespaces/default/widgets/w"}, s.seen)
}

// A busy API server may take seconds to serve a new kind. An exponential backoff
// of the library's gives up as soon as its pause has reached its cap, here after
// a second and a half: the time limit was never reached.
func TestAKindThatIsServedSecondsLaterIsWaitedFor(t *testing.T) {
	s := &server{kindsAfter: 12}
	c := s.client(t)
	before := time.Now()
	require.NoError(t, c.Apply(t.Context(), objects(t, "{apiVersion: x.io/v1, kind: Widget, metadata: {name: w}}"), manager))
	require.Greater(t, time.Since(before), 1800*time.Millisecond, "the kind was served too early to tell")
}

func TestAnUnknownKindIsNamedWhenTheTimeIsOver(t *testing.T) {
	s := &server{kindsAfter: 1 << 20}
	c := s.client(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := c.Apply(ctx, objects(t, "{apiVersion: x.io/v1, kind: Widget, metadata: {name: w}}"), manager)
	require.ErrorContains(t, err, "apply Widget w")
	require.ErrorContains(t, err, `no matches for kind "Widget"`)
}

func TestOnlyWhatTimeHealsIsTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		refusal *metav1.Status
		again   bool
	}{
		"the server is busy":              {status(429, metav1.StatusReasonTooManyRequests, "slow down"), true},
		"the webhook's server is not up":  {status(500, metav1.StatusReasonInternalError, "Internal error occurred: failed calling webhook \"v.istio.io\": connection refused"), true},
		"the path is not served yet":      {status(404, metav1.StatusReasonNotFound, "the server could not find the requested resource"), true},
		"the namespace does not exist":    {status(404, metav1.StatusReasonNotFound, `namespaces "n" not found`), false},
		"another manager owns a field":    {status(409, metav1.StatusReasonConflict, `conflict with "kubectl"`), false},
		"the object is invalid":           {status(422, metav1.StatusReasonInvalid, "spec.x: Required value"), false},
		"the caller may not":              {status(403, metav1.StatusReasonForbidden, "pods is forbidden"), false},
		"an internal error of other kind": {status(500, metav1.StatusReasonInternalError, "etcd is gone"), false},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			s := &server{refuse: func(string, string) *metav1.Status {
				if asked++; asked > 2 {
					return nil
				}
				return c.refusal
			}}
			err := s.client(t).Apply(t.Context(), objects(t, "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}}"), manager)
			if c.again {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "apply Pod ns/p")
			require.ErrorContains(t, err, c.refusal.Message)
			require.Equal(t, 1, asked)
		})
	}
}

func TestApplyingAsNobodyIsAnError(t *testing.T) {
	require.ErrorContains(t, (&server{}).client(t).Apply(t.Context(), objects(t, mixed), ApplyOptions{}), "field manager is empty")
}

func TestAListIsThatOfTheLabelAndOfAKindThatIsThere(t *testing.T) {
	s := &server{}
	c := s.client(t)
	widgets, err := c.List(t.Context(), schema.GroupVersionKind{Group: "y.io", Version: "v1", Kind: "Widget"}, "a", "made=by-me")
	require.NoError(t, err)
	require.Empty(t, widgets, "a kind that nobody serves has no objects")
	require.Empty(t, s.seen)
	s.refuse = func(_, path string) *metav1.Status {
		return status(http.StatusForbidden, metav1.StatusReasonForbidden, "no "+path)
	}
	_, err = c.List(t.Context(), schema.GroupVersionKind{Group: "x.io", Version: "v1", Kind: "Widget"}, "a", "made=by-me")
	require.ErrorContains(t, err, "list Widget of a: no /apis/x.io/v1/namespaces/a/widgets")
}
