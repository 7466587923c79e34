package controller

import (
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/meshfed/meshfed/federator/deploy"
)

func TestAControllerOfSomebodysIsNotReplaced(t *testing.T) {
	deployment := func(managers ...string) *appsv1.Deployment {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: deploy.Name}}
		for _, m := range managers {
			d.ManagedFields = append(d.ManagedFields, metav1.ManagedFieldsEntry{Manager: m})
		}
		return d
	}
	require.NoError(t, vacant(t.Context(), fake.NewClientset()))
	require.NoError(t, vacant(t.Context(), fake.NewClientset(deployment("kube-controller-manager", fieldManager))))
	for _, managers := range [][]string{{"helm"}, {"kubectl", "kube-controller-manager"}, nil} {
		err := vacant(t.Context(), fake.NewClientset(deployment(managers...)))
		require.ErrorContains(t, err, "deployment federator-system/federator is somebody's")
	}
}
