package reach

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite/bench/internal/why"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/wire"
)

type named struct {
	cluster.Cluster
	name string
}

func (n named) Name() string { return n.name }

// meshOfPods has one pod of each workload; all have the same log.
func meshOfPods(t *testing.T, name, log string) Mesh {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/log") {
			_, _ = w.Write([]byte(log))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(corev1.PodList{
			TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"},
			Items:    []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "one", Namespace: "default"}}},
		})
	}))
	t.Cleanup(api.Close)
	pods, err := workload.New(&rest.Config{Host: api.URL})
	require.NoError(t, err)
	return Mesh{Cluster: named{name: name}, Pods: pods}
}

// Meshes that log nothing, or text, tell as much of a healthy engine as of one that
// leads nowhere.
func TestWhatNoProxyHasLoggedIsNotJudged(t *testing.T) {
	const text = "[2026-01-02T03:04:05.000Z] \"GET /ratings/0?why=1 HTTP/1.1\" 503 UF\n"
	denied := `{"start_time":"` + time.Now().Add(time.Minute).UTC().Format(time.RFC3339) + `","path":"/ratings/0?why=1","response_code":403,"response_code_details":"rbac_access_denied_matched_policy[none]"}` + "\n"
	answered := traffic.Outcome{Kind: traffic.DeniedByPolicy}
	for name, c := range map[string]struct {
		log    string
		answer traffic.Outcome
		want   steps.Layer
	}{
		"empty":                 {answer: answered},
		"text":                  {log: text, answer: answered},
		"no answer":             {log: text, answer: traffic.Outcome{Kind: traffic.TimedOut, Fault: wire.FaultTimeout}},
		"JSON":                  {log: denied, answer: answered, want: steps.LayerPolicy},
		"no such name":          {answer: traffic.Outcome{Kind: traffic.Unreachable, Fault: wire.FaultResolve}, want: steps.LayerName},
		"the sidecar is away":   {answer: traffic.Outcome{Kind: traffic.Unreachable, Fault: wire.FaultRefused}, want: steps.LayerConsumerRoute},
		"the pod has no routes": {answer: traffic.Outcome{Kind: traffic.Unreachable, Fault: wire.FaultUnroutable}, want: steps.LayerConsumerRoute},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Reach{meshes: map[string]Mesh{"c1": meshOfPods(t, "c1", c.log), "c2": meshOfPods(t, "c2", c.log)}}
			from := workload.Ref{Namespace: "default", Selector: "app=sleep"}
			d, err := r.judged(t.Context(), r.meshes["c1"], from, why.Way{Answer: c.answer, EgressGateway: istio.EgressGateway},
				logs{sent: time.Now(), mark: "why=1", limit: 10 * time.Millisecond})
			if c.want == "" {
				require.ErrorContains(t, err, "accessLogEncoding JSON")
				assert.ErrorContains(t, err, "accessLogFile")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, d.Layer, d.Story)
		})
	}
}
