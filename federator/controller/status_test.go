package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
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

// The API server refuses a note of more than 1024 bytes and a message of more than
// 32768: the worst news would be those that nobody is told.
func TestTheLongestNewsAreCutAndDelivered(t *testing.T) {
	long := strings.Repeat("“refused” ", 4000)
	for name, script := range map[string]func(*scripted){
		"a problem": func(s *scripted) {
			s.refuse = map[string]federator.Verdict{"Exposure/a/x": verdictFor(api.CausePathClaimed, long)}
		},
		"a failure": func(s *scripted) {
			s.fail = errors.New(long)
			s.changes = []federator.Change{{Action: federator.ActionCreate, DeclaredBy: []string{"Exposure/a/x"}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{}, mesh("m", 1), exposure("x", "a", 1))
			script(b.engine)
			_, _ = b.reconcile(t)
			x := exposure("x", "a", 1)
			require.NotEqual(t, "Ready", b.reason(t, x))
			for _, c := range x.Status.Conditions {
				assert.LessOrEqual(t, len(c.Message), maxMessage)
				assert.True(t, utf8.ValidString(c.Message))
			}
			require.Contains(t, meta.FindStatusCondition(x.Status.Conditions, string(crd.Ready)).Message, "“refused” “refused”")
			for range len(b.events.Events) {
				kind, rest, _ := strings.Cut(<-b.events.Events, " ")
				reason, note, _ := strings.Cut(rest, " ")
				assert.LessOrEqual(t, len(note), 1024, "%s %s", kind, reason)
				assert.True(t, utf8.ValidString(note))
			}
		})
	}
}

// What was found out about a declaration says nothing about another one that has got
// its name meanwhile.
func TestAStatusIsWrittenToTheVeryObjectThatWasLookedAt(t *testing.T) {
	b := newBench(t, Options{}, mesh("m", 1), exposure("x", "a", 1))
	anew := exposure("x", "a", 2)
	anew.UID = "uid-of-another"
	b.onPatch = func(ctx context.Context, o client.Object) error {
		if o.GetName() != "x" || o.GetUID() == anew.UID {
			return nil
		}
		return errors.Join(b.client.Delete(ctx, exposure("x", "a", 1)), b.client.Create(ctx, anew.DeepCopy()))
	}
	_, err := b.reconcile(t)
	require.ErrorContains(t, err, "status of *crd.Exposure a/x", "this is to be looked at again soon")
	assert.Empty(t, b.reason(t, exposure("x", "a", 1)))
	_, err = b.reconcile(t)
	require.NoError(t, err)
	assert.Equal(t, "Ready", b.reason(t, exposure("x", "a", 1)))
}
