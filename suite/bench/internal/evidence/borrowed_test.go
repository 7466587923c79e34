package evidence

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
)

// Evidence is part of a report, and reports are handed in and published.
func TestNothingOfOtherNamespacesOfSomebodysClustersIsTaken(t *testing.T) {
	for name, c := range map[string]struct {
		namespaces []string
		takes      []string
	}{
		"clusters of somebody": {[]string{"default", "bookinfo"}, []string{"bookinfo"}},
		"a lab of our own":     {nil, []string{"bookinfo", "payroll"}},
	} {
		t.Run(name, func(t *testing.T) {
			var pods, services []runtime.Object
			for _, namespace := range []string{"payroll", "bookinfo", "kube-system"} {
				meta := metav1.ObjectMeta{Namespace: namespace, Name: "of-" + namespace}
				pods = append(pods, &corev1.Pod{ObjectMeta: meta, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}})
				services = append(services, serviceIn(namespace))
			}
			collector := Collector{Namespaces: c.namespaces}
			logs, err := collector.podLogs(fake.NewClientset(pods...))(t.Context())
			require.NoError(t, err)
			kinds := map[schema.GroupVersionResource]string{}
			for _, kind := range dumped() {
				kinds[kind] = "List"
			}
			objects, err := collector.dump(t.Context(), dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, services...))
			require.NoError(t, err)
			assert.Equal(t, len(c.takes), strings.Count(string(logs), "fake logs"), "%s", logs)
			assert.NotContains(t, string(logs), "kube-system")
			for _, taken := range c.takes {
				assert.Contains(t, string(logs), "--- "+taken+"/of-"+taken+" app")
				assert.Contains(t, string(objects), "name: of-"+taken)
			}
			if c.namespaces != nil {
				assert.NotContains(t, string(logs), "payroll")
				assert.NotContains(t, string(objects), "payroll")
			}
		})
	}
}

func serviceIn(namespace string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion("v1")
	o.SetKind("Service")
	o.SetNamespace(namespace)
	o.SetName("of-" + namespace)
	return o
}
