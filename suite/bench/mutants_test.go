package bench_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/embedded"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
	"github.com/meshfed/meshfed/suite/bench"
)

// objects are what the engine rendered for one mesh.
type objects = []*unstructured.Unstructured

// mutant is an engine that is broken on purpose. A suite that stays green on
// one of them proves nothing.
type mutant struct {
	name   string
	breaks func(objects) objects
	// killer is the scenario that must find it, and reason what it must say:
	// red for another reason would not be a find.
	killer, reason string
}

func mutants() []mutant {
	const (
		stranger = "expose/a-mesh-of-the-same-root-that-was-not-named-is-refused"
		open     = "got: GET /bookinfo/myreviews/v2/reviews/0 at c2 with c3's certificate"
	)
	return []mutant{
		{"no AuthorizationPolicy", drop("AuthorizationPolicy"), stranger, open},
		{"any peer", without("AuthorizationPolicy", "from"), stranger, open},
		{"a wider prefix", widen, "expose/another-path-is-refused-path/3", "/bookinfo/myreviews/v3/reviews/0 at c2 with c1's certificate [nonce"},
		{"any method", without("AuthorizationPolicy", "methods"), "expose/a-method-that-was-not-granted-is-refused-method/1", "the backend itself answered Method Not Allowed"},
		{"any subset", without("VirtualService", "subset"), "expose/reviews-v2-is-exposed-under-a-path-of-its-own", "by reviews v3 of c2"},
		{"the client certificate is optional", set("Gateway", "mode", "MUTUAL", "OPTIONAL_MUTUAL"),
			"expose/the-handshake-fails-for-a-caller-with-credentials/1", "want TLS alert certificate_required; got:"},
		{"no SAN check", without("DestinationRule", "subjectAltNames"),
			"consume/a-peer-that-is-not-who-it-should-be-gets-no-request", "it shows reviews with black stars from c2"},
		{"no header match", without("VirtualService", "headers"),
			"consume/jason-s-reviews-come-from-c2-while-the-others-stay-local", "it shows reviews with black stars from c2"},
		{"no authority rewrite", without("VirtualService", "authority"),
			"consume/a-request-keeps-its-local-name-in-c1-and-has-c2-s-name-in-c2", "denied by policy"},
	}
}

// widen opens the path of v3 beside that of v2, in route and policy, and
// leaves what was right as it was.
func widen(all objects) objects {
	const narrow, wide = "/bookinfo/myreviews/v2/", "/bookinfo/myreviews/v3/"
	add := each("", func(m map[string]any) {
		if paths, is := m["paths"].([]any); is {
			for _, p := range paths {
				m["paths"] = append(m["paths"].([]any), replaceIn(p, narrow, wide))
			}
		}
		if matches, is := m["match"].([]any); is && len(matches) > 0 {
			m["match"] = append(matches, replaceIn(runtime.DeepCopyJSONValue(matches[0]), narrow, wide))
		}
	})
	return add(all)
}

func drop(kind string) func(objects) objects {
	return func(all objects) (kept objects) {
		for _, o := range all {
			if o.GetKind() != kind {
				kept = append(kept, o)
			}
		}
		return kept
	}
}

// without removes a field wherever it stands in objects of a kind.
func without(kind, field string) func(objects) objects {
	return each(kind, func(m map[string]any) { delete(m, field) })
}

func set(kind, field, from, to string) func(objects) objects {
	return each(kind, func(m map[string]any) {
		if m[field] == from {
			m[field] = to
		}
	})
}

// replaceIn changes a text wherever it stands in a value.
func replaceIn(value any, from, to string) any {
	switch v := value.(type) {
	case string:
		return strings.ReplaceAll(v, from, to)
	case []any:
		for i := range v {
			v[i] = replaceIn(v[i], from, to)
		}
	case map[string]any:
		for key := range v {
			v[key] = replaceIn(v[key], from, to)
		}
	}
	return value
}

// each visits every mapping in the specs of objects of a kind; "" is any.
func each(kind string, visit func(map[string]any)) func(objects) objects {
	return func(all objects) objects {
		for _, o := range all {
			if kind == "" || o.GetKind() == kind {
				walk(o.Object["spec"], visit)
			}
		}
		return all
	}
}

func walk(value any, visit func(map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		visit(v)
		for _, inner := range v {
			walk(inner, visit)
		}
	case []any:
		for _, inner := range v {
			walk(inner, visit)
		}
	}
}

// openLab is the lab that is up, and ours until the test ends.
func openLab(t *testing.T) cluster.Lab {
	t.Helper()
	name := os.Getenv("MESHFED_LAB")
	if name == "" {
		name = "default"
	}
	provider, err := embedded.New()
	require.NoError(t, err)
	lab, err := provider.Open(t.Context(), name)
	if errors.Is(err, cluster.ErrNoLab) {
		t.Skipf("%v: bring it up with `conformance lab up --lab %s`", err, name)
	}
	require.NoError(t, err)
	hold, err := bench.Await(t.Context(), lab)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, hold.Release()) })
	require.NoError(t, bench.Deploy(t.Context(), lab))
	return lab
}

// run plays one scenario with an engine and returns the suite's report.
func run(t *testing.T, lab cluster.Lab, e engine.Engine, id string) reports.ConformanceReport {
	t.Helper()
	s := suite.Suite{
		Features: features.FS, Selection: suite.Selection{Paths: []string{place(t, id)}},
		Capabilities: suite.Capabilities{Known: engine.Words(engine.Capabilities()), Declared: engine.Words(e.Capabilities())},
		Out:          t.TempDir(), ID: "run",
		Prepare: func(ctx context.Context) (suite.Bench, error) { return bench.New(ctx, lab, e) },
	}
	report, err := s.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, report.Scenarios, 1)
	if report.ExitCode() == reports.ExitNonConformant {
		assert.FileExists(t, filepath.Join(s.Out, "run", "evidence", filepath.FromSlash(id), "requests.txt"))
	}
	return report
}

// place is the PATH:LINE of a scenario.
func place(t *testing.T, id string) string {
	t.Helper()
	all, err := suite.Select(features.FS, suite.Selection{})
	require.NoError(t, err)
	for _, s := range all {
		if s.ID == id {
			return s.Where()
		}
	}
	require.Fail(t, "no scenario has the id", id)
	return ""
}

func TestEachBrokenEngineTurnsTheSuiteRedAndTheScenarioIsNamed(t *testing.T) {
	lab := openLab(t)
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			report := run(t, lab, builtin.New("", federator.WithTransform(m.breaks)), m.killer)
			assert.Equal(t, reports.ExitNonConformant, report.ExitCode(), "%s", report.Line())
			assert.Equal(t, m.killer, report.Scenarios[0].ID)
			assert.Equal(t, reports.Failed, report.Scenarios[0].Verdict)
			assert.Contains(t, report.Scenarios[0].Reason, m.reason)
			sound := run(t, lab, builtin.New(""), m.killer)
			assert.Equal(t, reports.ExitGreen, sound.ExitCode(), "the sound engine: %v", sound.Scenarios)
		})
	}
}

func TestMutationsChangeWhatTheySayAndNothingElse(t *testing.T) {
	object := func() objects {
		return objects{{Object: map[string]any{"kind": "VirtualService", "spec": map[string]any{
			"http": []any{map[string]any{"match": []any{map[string]any{"headers": "x", "uri": "/a/b"}}, "paths": []any{"/a/b"}}},
		}}}}
	}
	text := func(o objects) string {
		b, err := o[0].MarshalJSON()
		require.NoError(t, err)
		return strings.TrimSpace(string(b))
	}
	assert.Empty(t, drop("VirtualService")(object()))
	assert.Equal(t, object(), drop("Gateway")(object()))
	assert.JSONEq(t, `{"kind":"VirtualService","spec":{"http":[{"match":[{"uri":"/a/b"}],"paths":["/a/b"]}]}}`, text(without("VirtualService", "headers")(object())))
	assert.JSONEq(t, `{"kind":"VirtualService","spec":{"http":[{"match":[{"headers":"y","uri":"/a/b"}],"paths":["/a/b"]}]}}`, text(set("VirtualService", "headers", "x", "y")(object())))
	wide := objects{{Object: map[string]any{"kind": "VirtualService", "spec": map[string]any{
		"match": []any{map[string]any{"uri": "/bookinfo/myreviews/v2/"}}, "paths": []any{"/bookinfo/myreviews/v2/*"},
	}}}}
	assert.JSONEq(t, `{"kind":"VirtualService","spec":{"match":[{"uri":"/bookinfo/myreviews/v2/"},{"uri":"/bookinfo/myreviews/v3/"}],
		"paths":["/bookinfo/myreviews/v2/*","/bookinfo/myreviews/v3/*"]}}`, text(widen(wide)))
}
