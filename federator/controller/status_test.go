package controller

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// One status after the other, each a round trip, would keep the next withdrawal
// waiting for as long as there are declarations.
func TestSeveralStatusesAreWrittenAtATime(t *testing.T) {
	objects := []client.Object{mesh("m", 1)}
	for i := range 2*parallel - 1 {
		objects = append(objects, exposure(fmt.Sprintf("e%d", i), "a", 1))
	}
	b := newBench(t, Options{}, objects...)
	var begun, under atomic.Int32
	together := make(chan struct{})
	b.onPatch = func(ctx context.Context, _ client.Object) error {
		defer under.Add(-1)
		if n := under.Add(1); n > parallel {
			return fmt.Errorf("%d at a time", n)
		}
		if begun.Add(1) == parallel {
			close(together)
		}
		select {
		case <-together:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := b.loop.Reconcile(ctx, everything(ctx, nil)[0])
	require.NoError(t, err)
	assert.EqualValues(t, 2*parallel, b.patches.Load())
}

// One resource whose status is refused silences no other.
func TestAStatusThatIsRefusedSilencesNoOther(t *testing.T) {
	b := newBench(t, Options{}, mesh("m", 1), exposure("x", "a", 1), exposure("y", "a", 1))
	b.onPatch = func(_ context.Context, o client.Object) error {
		if o.GetName() == "x" {
			return errors.New("refused")
		}
		return nil
	}
	_, err := b.reconcile(t)
	require.ErrorContains(t, err, "status of *crd.Exposure a/x: refused")
	assert.Equal(t, "Ready", b.reason(t, mesh("m", 1)))
	assert.Equal(t, "Ready", b.reason(t, exposure("y", "a", 1)))
	assert.Empty(t, b.reason(t, exposure("x", "a", 1)))
}
