package kube

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
)

// Only what is not there is gone. What the API server answers about another UID
// means that something else has the name.
func TestADeletionOfWhatHasBeenReplacedIsAConflict(t *testing.T) {
	grants := schema.GroupResource{Group: "security.istio.io", Resource: "authorizationpolicies"}
	grant := Ref{APIVersion: "security.istio.io/v1", Kind: "AuthorizationPolicy", Namespace: "gateways", Name: "grant"}
	deletion := func(answer error) (bool, error) {
		d := fake.NewSimpleDynamicClient(runtime.NewScheme())
		d.PrependReactor("delete", grants.Resource, func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, answer })
		return live{d}.Delete(t.Context(), grant, "uid-1")
	}

	_, err := deletion(apierrors.NewConflict(grants, grant.Name,
		errors.New("Precondition failed: UID in precondition: uid-1, UID in object meta: uid-2")))
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
	assert.Equal(t, grant, conflict.Object)
	assert.ErrorContains(t, err, "run again")

	gone, err := deletion(apierrors.NewNotFound(grants, grant.Name))
	require.NoError(t, err)
	assert.False(t, gone)
	gone, err = deletion(nil)
	require.NoError(t, err)
	assert.True(t, gone)
}
