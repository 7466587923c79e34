package mutants

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/federator/mutation"
)

// named is a cluster that is not there.
type named struct{ cluster.Cluster }

func (named) Name() string       { return "c2" }
func (named) Kubeconfig() string { return "" }

func TestOnlyTheAPIServersNoIsARefusal(t *testing.T) {
	gateways := schema.GroupResource{Group: "networking.istio.io", Resource: "gateways"}
	invalid := apierrors.NewInvalid(schema.GroupKind{Group: gateways.Group, Kind: "Gateway"}, "g", nil)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx             context.Context
		err             error
		refused, unsure bool
	}{
		"invalid":           {t.Context(), invalid, true, false},
		"a webhook's no":    {t.Context(), status(http.StatusBadRequest, "", `admission webhook "validation.istio.io" denied the request: x`), true, false},
		"no typed patch":    {t.Context(), status(http.StatusInternalServerError, "", "failed to create typed patch object (a/b; v1, Kind=X): .spec.ports: element 0: missing key"), true, false},
		"invalid, too late": {over, invalid, false, true},
		"the time is over":  {t.Context(), context.DeadlineExceeded, false, true},
		"a broken line":     {t.Context(), errors.New("read tcp: connection reset by peer"), false, true},
		"a conflict":        {t.Context(), apierrors.NewConflict(gateways, "g", errors.New("x")), false, true},
		"no right":          {t.Context(), apierrors.NewForbidden(gateways, "g", errors.New("x")), false, true},
		"a server's fault":  {t.Context(), apierrors.NewInternalError(errors.New("etcd")), false, true},
		"words of others":   {t.Context(), errors.New("failed to create typed patch object"), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newObjectsFault(mutation.Mutation{})
			f.changed["c2"] = true
			wrapped := fmt.Errorf("apply in c2: apply Gateway g: %w", c.err)
			assert.Equal(t, wrapped, f.note(c.ctx, named{}, wrapped))
			assert.False(t, f.InForce())
			assert.Equal(t, c.refused, f.Refused() != nil)
			assert.Equal(t, c.unsure, f.Unsure() != nil)
		})
	}
}

// status is an answer of the API server.
func status(code int32, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message}}
}

// A call that renders nothing shows no cluster anything, whatever the call
// before it did.
func TestWhatWasNotRenderedIsNeitherInForceNorRefused(t *testing.T) {
	f := newObjectsFault(mutation.Mutation{New: func() mutation.Transform { return nil }})
	f.changed["c2"] = true
	assert.Error(t, f.Cancel(t.Context(), named{}, "?"))
	f.changed["c2"] = true
	assert.Error(t, f.Apply(t.Context(), named{}, "?"))
	assert.False(t, f.InForce())
	assert.NoError(t, errors.Join(f.Refused(), f.Unsure()))
}
