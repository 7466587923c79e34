package steps

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/traffic"
)

func failed(a timed) bool { return a.Kind != traffic.Allowed }

func TestAFaultThatNothingHasMetProvesNothing(t *testing.T) {
	w := &World{}
	assert.ErrorContains(t, w.felt(failed), "nothing was broken")
	began := time.Now()
	mended := began.Add(time.Second)
	at := func(sent, done time.Duration, kind traffic.Kind) timed {
		return timed{sent: began.Add(sent), done: began.Add(done), Outcome: traffic.Outcome{Kind: kind}}
	}
	w.broken = &broken{words: "it is cut", began: began, mended: mended, allowed: &watcher{steady: &steady{what: "it", answers: []timed{
		at(-2*time.Second, -time.Second, traffic.Reset), at(0, time.Millisecond, traffic.Allowed), at(2*time.Second, 3*time.Second, traffic.Reset),
	}}}}
	assert.ErrorContains(t, w.felt(failed), "none of 1 answers", "what failed before and after is not meant")
	w.broken.allowed.answers = append(w.broken.allowed.answers, at(time.Millisecond, 2*time.Second, traffic.TimedOut))
	assert.NoError(t, w.felt(failed))
}

// aWay is one from nowhere to nowhere.
type aWay struct{ closed int }

func (*aWay) Address() (host, port string) { return "192.0.2.1", "15443" }
func (*aWay) Break(context.Context, Breakage) (func(context.Context) error, error) {
	return nil, ErrCannotBreak
}
func (w *aWay) Close(context.Context) error { w.closed++; return nil }

type wayFaults struct {
	Faults
	way *aWay
}

// tearable is a way that is torn and made whole again.
type tearable struct {
	aWay
	torn bool
}

func (w *tearable) Break(_ context.Context, what Breakage) (func(context.Context) error, error) {
	w.torn = what == LinkTorn
	return func(context.Context) error { w.torn = false; return nil }, nil
}

// inside are meshes whose workloads are answered so.
type inside struct {
	Meshes
	answer func() traffic.Outcome
}

func (i inside) Inside(context.Context, string, Request, int) ([]traffic.Outcome, error) {
	return []traffic.Outcome{i.answer()}, nil
}

func TestWhatComesThroughALinkThatIsTornHasAnotherWay(t *testing.T) {
	const url = "http://ratings:9080/ratings/0"
	for name, c := range map[string]struct {
		another bool
		want    string
	}{"no other way": {false, ""}, "another way": {true, "the link is reset, and yet"}} {
		synctest.Test(t, func(t *testing.T) {
			way := &tearable{}
			w := NewWorld(Environment{Meshes: inside{answer: func() traffic.Outcome {
				if way.torn && !c.another {
					return traffic.Outcome{Kind: traffic.UpstreamFailed}
				}
				return traffic.Outcome{Kind: traffic.Allowed}
			}}})
			require.ErrorContains(t, w.tearWay(t.Context(), "1s", "c1", url), "no link can be broken")
			w.way = way
			began := time.Now()
			err := w.tearWay(t.Context(), "1s", "c1", url)
			assert.Equal(t, c.want == "", err == nil, name)
			if c.want != "" {
				assert.ErrorContains(t, err, c.want)
			}
			assert.False(t, way.torn)
			assert.GreaterOrEqual(t, time.Since(began), time.Second)
		})
	}
}

func (w wayFaults) Between(context.Context, string, string) (Way, error) { return w.way, nil }

func TestAnOwnerBelievesInTheWayUntilTheScenarioEnds(t *testing.T) {
	way := &aWay{}
	w := NewWorld(Environment{Faults: wayFaults{way: way}})
	require.NoError(t, w.openWay(t.Context(), "c1", "c2"))
	assert.Equal(t, belief{Host: "192.0.2.1", Port: "15443"}, *w.beliefs["c2"])
	assert.ErrorContains(t, w.openWay(t.Context(), "c1", "c2"), "already")
	require.NoError(t, w.closeWay(t.Context()))
	require.NoError(t, w.closeWay(t.Context()))
	assert.Equal(t, 1, way.closed)
}
