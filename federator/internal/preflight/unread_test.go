package preflight_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
	"github.com/meshfed/meshfed/federator/internal/preflight"
)

// unread is a cluster of which one kind in one namespace must not be listed.
type unread struct {
	kube.Client
	kind, namespace string
}

func (u unread) List(ctx context.Context, apiVersion, kind, namespace string) ([]unstructured.Unstructured, error) {
	if kind == u.kind && namespace == u.namespace {
		return nil, fmt.Errorf("list %s: %w", kind, apierrors.NewForbidden(schema.GroupResource{Resource: kind}, "", nil))
	}
	return u.Client.List(ctx, apiVersion, kind, namespace)
}

// A right that is missing in the namespace of a declaration is a problem of that
// declaration; in the gateways' namespace nothing can be judged without it.
func TestAMissingRightIsAProblemOfItsNamespaceAlone(t *testing.T) {
	spec, err := api.Parse("wish", strings.NewReader(wish))
	require.NoError(t, err)
	for _, kind := range []string{"Service", "DestinationRule"} {
		c := unread{kubefake.New(objects(t, ready)...), kind, "bookinfo"}
		report, err := preflight.Check(t.Context(), c, spec, preflight.Options{})
		require.NoError(t, err)
		require.ErrorContains(t, report.Unreadable(), "namespace bookinfo")
		require.NotEmpty(t, report.Problems)
		for _, p := range report.Problems {
			assert.Equal(t, "bookinfo", p.By.Namespace, p)
		}

		c.namespace = "gw"
		_, err = preflight.Check(t.Context(), c, spec, preflight.Options{})
		require.ErrorContains(t, err, "forbidden")
	}
	report, err := preflight.Check(t.Context(), kubefake.New(objects(t, ready)...), spec, preflight.Options{})
	require.NoError(t, err)
	assert.NoError(t, report.Unreadable())
}
