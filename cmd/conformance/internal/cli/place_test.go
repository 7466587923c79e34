package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine/builtin"
)

// slow is a lab that takes its time to end, and knows how long it may.
type slow struct {
	cluster.Lab
	takes time.Duration
	fails error
}

func (slow) Name() string                 { return "slow" }
func (slow) Provider() string             { return "kind" }
func (slow) Clusters() []cluster.Cluster  { return nil }
func (slow) Detach(context.Context) error { return errors.New("the maker does not answer") }

func (s slow) Delete(ctx context.Context) error {
	select {
	case <-time.After(s.takes):
		return s.fails
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A provider knows how long the end of its labs may take; kind's take longer
// than anybody else would wait.
func TestTheEndOfALabIsBoundedByItsProviderAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, keep := range []bool{false, true} {
			p := &place{lab: slow{takes: 89 * time.Second}, made: true, engine: builtin.New(""), errs: t.Output()}
			p.flags.keep = keep
			err := p.leave(t.Context())
			if keep {
				assert.ErrorContains(t, err, "keep lab slow: the maker does not answer")
				assert.NotErrorIs(t, err, context.DeadlineExceeded)
				continue
			}
			assert.NoError(t, err)
		}
	})
}

// SAD PATHS

func TestALabThatDoesNotEndIsNamedWithWhatRemovesIt(t *testing.T) {
	for name, c := range map[string]struct {
		lab  cluster.Lab
		want string
	}{
		"by its own command": {removable{slow{fails: errors.New("busy")}}, "busy; what is left goes with: sweep slow"},
		"by lab down":        {slow{fails: errors.New("busy")}, "busy; what is left goes with: conformance lab down --lab slow"},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&place{lab: c.lab, made: true, engine: builtin.New("")}).leave(t.Context())
			assert.EqualError(t, err, c.want)
		})
	}
}

// removable is a lab with a command of its own that removes it.
type removable struct{ slow }

func (removable) Remove() string { return "sweep slow" }

func TestWhatIsNotTakenAwayInTimeIsSaidWithTheRemedy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		err := within(t.Context(), undoLimit, "the next run removes it", func(ctx context.Context) error {
			<-ctx.Done()
			return fmt.Errorf("delete Namespace bookinfo: %w", ctx.Err())
		})
		require.EqualError(t, err, "delete Namespace bookinfo: context deadline exceeded: not done within 3m0s; the next run removes it")
		assert.Equal(t, undoLimit, time.Since(begun))
		err = within(t.Context(), undoLimit, "the next run removes it", func(ctx context.Context) error {
			<-ctx.Done()
			return fmt.Errorf("delete Namespace bookinfo: %w", context.Cause(ctx))
		})
		require.EqualError(t, err, "delete Namespace bookinfo: not done within 3m0s; the next run removes it")
	})
}

func TestWhatFailsAtOnceIsNotSaidToBeLate(t *testing.T) {
	err := within(t.Context(), undoLimit, "remedy", func(context.Context) error { return errors.New("forbidden") })
	require.EqualError(t, err, "forbidden; remedy")
	assert.NoError(t, within(t.Context(), undoLimit, "remedy", func(context.Context) error { return nil }))
}
