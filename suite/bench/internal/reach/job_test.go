package reach

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A pod of the job that looked like sleep would be taken for it.
func TestAJobThatSendsLoadIsMadeAfterSleepAndIsNotSleep(t *testing.T) {
	model := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "sleep", "sidecar.istio.io/inject": "true"}},
		Spec: corev1.PodSpec{ServiceAccountName: "sleep", Containers: []corev1.Container{
			{Name: "sleep", Image: "registry.example/bookinfo:1", Args: []string{"sleep"}, ReadinessProbe: &corev1.Probe{}},
		}},
	}}}
	j := job{name: "meshfed-load-n"}.object(model, `{"rate":1}`, 10*time.Second)
	pod := j.Spec.Template
	assert.Equal(t, map[string]string{"app": "meshfed-load", "job": "meshfed-load-n", "sidecar.istio.io/inject": "true"}, pod.Labels)
	assert.Equal(t, "sleep", pod.Spec.ServiceAccountName)
	assert.Equal(t, "registry.example/bookinfo:1", pod.Spec.Containers[0].Image, "one that the cluster has")
	assert.Equal(t, []string{"/usr/local/bin/bookinfo", "load", "--plan", `{"rate":1}`}, pod.Spec.Containers[0].Command)
	assert.Empty(t, pod.Spec.Containers[0].Args)
	assert.Nil(t, pod.Spec.Containers[0].ReadinessProbe)
	assert.Equal(t, corev1.RestartPolicyNever, pod.Spec.RestartPolicy)
	assert.EqualValues(t, 130, *j.Spec.ActiveDeadlineSeconds)
	assert.Zero(t, *j.Spec.BackoffLimit, "a second generator would double the load")
	assert.Equal(t, "sleep", model.Spec.Template.Labels["app"], "the model is not changed")
}
