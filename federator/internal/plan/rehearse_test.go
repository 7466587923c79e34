package plan

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
	"github.com/meshfed/meshfed/federator/internal/kube/kubefake"
	"github.com/meshfed/meshfed/federator/internal/render"
)

// many are grants, and the cluster that holds them as they are but for the last one.
func many(t *testing.T, n int) ([]*unstructured.Unstructured, *kubefake.Cluster) {
	t.Helper()
	var wanted, there []*unstructured.Unstructured
	for i := range n {
		o := grantOf(t, "action: ALLOW, rules: [{}]")
		o.SetName(fmt.Sprintf("grant-%02d", i))
		o.SetNamespace("gw")
		o.SetLabels(map[string]string{render.LabelManagedBy: render.Manager, render.LabelMesh: "c2"})
		wanted, there = append(wanted, o), append(there, o.DeepCopy())
	}
	there[n-1].Object["spec"] = map[string]any{"action": "ALLOW"}
	return wanted, kubefake.New(there...)
}

// Where one rehearsal has waited for a webhook in vain, all would. What is as it was
// rendered needs none; what differs is asked for whatever it takes.
func TestASlowRehearsalIsNotWaitedForObjectByObject(t *testing.T) {
	const n = 100
	for name, row := range map[string]struct {
		err   error
		takes time.Duration
		asked int
	}{
		"a webhook that times out": {apierrors.NewInternalError(errors.New("failed calling webhook")), 10 * time.Second, parallel + 1},
		"one that fails at once":   {apierrors.NewInternalError(errors.New("failed calling webhook")), 0, n},
		"one that refuses slowly":  {apierrors.NewBadRequest("no"), 10 * time.Second, n},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wanted, c := many(t, n)
				var asked atomic.Int32
				var ofMesh api.Spec
				ofMesh.Mesh.Name = "c2"
				p, err := Make(t.Context(), c, Input{Spec: ofMesh, Objects: wanted, Persist: true,
					Predict: func(context.Context, *unstructured.Unstructured, *unstructured.Unstructured) (*unstructured.Unstructured, error) {
						asked.Add(1)
						time.Sleep(row.takes)
						return nil, row.err
					}})
				require.NoError(t, err)
				assert.EqualValues(t, row.asked, asked.Load())
				assert.Len(t, p.Conflicts, row.asked, "what was not asked for is as it should be")
				for _, change := range p.Changes {
					assert.Equal(t, ActionUnchanged, change.Action)
					if change.Object == kube.RefOf(wanted[n-1]) {
						assert.NotNil(t, change.Conflict(), "it differs")
					}
				}
			})
		})
	}
}
