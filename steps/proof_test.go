package steps

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/oracle"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
)

// What is proved outweighs what could not be found out, wherever both come
// together: a leak beside a request that could not be sent was once told as
// "inconclusive".

// halfBlind cannot send everything.
type halfBlind struct{ *besieged }

func (h halfBlind) Edge(ctx context.Context, mesh string, as Caller, r Request) (traffic.Outcome, error) {
	if r.URL == "/unsent" {
		return traffic.Outcome{}, errors.New("dial: no buffer space")
	}
	return h.besieged.Edge(ctx, mesh, as, r)
}

func besiegedControl(t *testing.T, w *World) {
	t.Helper()
	q, err := w.atEdge("c2", "GET", controlPath, "c1's certificate")
	require.NoError(t, err)
	w.control = &control{question: q, fits: by(traffic.Backend{})}
}

func TestAnAttackThatCouldNotBeSentHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &besieged{}
		w := besiegedWorld(t, b)
		w.Meshes = halfBlind{b}
		besiegedControl(t, w)
		err := w.attacksRefused(t.Context(), "c2", attackTable("/leak", "/unsent"))
		require.ErrorContains(t, err, "got: ")
		require.NotErrorIs(t, err, reports.ErrInconclusive)
		require.ErrorIs(t, w.attacksRefused(t.Context(), "c2", attackTable("/a", "/unsent")), reports.ErrInconclusive)
	})
}

func TestACellOfWhichNothingIsKnownHidesNoLeak(t *testing.T) {
	leak := cell{Expectation: oracle.Expectation{Fate: oracle.DeniedByPolicy}, got: outcome(oracle.Expectation{Fate: oracle.Granted, Service: "ratings"})}
	late := cell{Expectation: oracle.Expectation{Fate: oracle.DeniedByPolicy}, got: traffic.Outcome{Kind: traffic.TimedOut}}
	fine := cell{Expectation: oracle.Expectation{Fate: oracle.DeniedByPolicy}, got: traffic.Outcome{Kind: traffic.DeniedByPolicy}}
	for _, cells := range [][]cell{{leak, late}, {late, leak}} {
		w := NewWorld(Environment{})
		err := w.judgeCells("c2", cells)
		require.ErrorContains(t, err, "LEAK")
		require.NotErrorIs(t, err, reports.ErrInconclusive)
		assert.Len(t, w.Figures().TruthTables[0].Cells, 1, "the one that is known")
	}
	w := NewWorld(Environment{})
	require.ErrorIs(t, w.judgeCells("c2", []cell{fine, late}), reports.ErrInconclusive)
	late.seen = []Arrival{{Service: "ratings"}}
	require.ErrorContains(t, w.judgeCells("c2", []cell{fine, late}), "LEAK", "it timed out and arrived all the same")
}

// blindCount are meshes whose workloads have forgotten.
type blindCount struct{ *besieged }

func (blindCount) Arrivals(context.Context, string, string) ([]Arrival, error) {
	return nil, errors.New("the ring overflowed")
}

// answered is a watcher who has been answered so often in that way.
func answered(kind traffic.Kind, times int) *watcher {
	s := &steady{what: "it", send: func(ctx context.Context) ([]traffic.Outcome, error) { <-ctx.Done(); return nil, nil }}
	s.start(context.Background())
	for range times {
		s.answers = append(s.answers, timed{sent: time.Now(), Outcome: traffic.Outcome{Kind: kind}})
	}
	return &watcher{steady: s, nonce: "n"}
}

func TestWorkloadsThatForgotHideNoAcceptance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &besieged{}
		w := besiegedWorld(t, b)
		w.Meshes = blindCount{b}
		besiegedControl(t, w)
		w.broken = &broken{words: "it is broken", mended: time.Now(), allowed: answered(traffic.Allowed, 20), denied: []*watcher{answered(traffic.Allowed, 3)}}
		err := w.nothingAccepted(t.Context())
		require.ErrorContains(t, err, "3 of 3 requests that are denied were accepted")
		require.NotErrorIs(t, err, reports.ErrInconclusive)

		w.broken.denied = []*watcher{answered(traffic.DeniedByPolicy, 3)}
		w.broken.allowed = answered(traffic.Allowed, 20)
		require.ErrorIs(t, w.nothingAccepted(t.Context()), reports.ErrInconclusive)
	})
}

// gate is a service that is away for some time, during which requests hang.
func gate(from, to time.Time) burst {
	return func(ctx context.Context) ([]traffic.Outcome, error) {
		if now := time.Now(); now.Before(from) || now.After(to) {
			time.Sleep(5 * time.Millisecond)
			return []traffic.Outcome{{Kind: traffic.Allowed}}, nil
		}
		select {
		case <-time.After(3 * time.Second):
		case <-ctx.Done():
		}
		return []traffic.Outcome{{Kind: traffic.TimedOut}}, nil
	}
}

func TestWhatComesBackTooLateIsAFault(t *testing.T) {
	for back, fits := range map[time.Duration]bool{100 * time.Millisecond: true, 2 * time.Second: true, 4 * time.Second: false, 6 * time.Second: false, time.Hour: false} {
		synctest.Test(t, func(t *testing.T) {
			w := besiegedWorld(t, &besieged{})
			now := time.Now()
			end := now.Add(5 * time.Second)
			s := &steady{what: "it", overlapping: true, send: gate(now.Add(time.Second), end.Add(back))}
			w.broken = &broken{words: "the link to c2 is cut", allowed: &watcher{steady: s}}
			s.start(t.Context())
			time.Sleep(time.Until(end))
			w.broken.mended = time.Now()
			require.NoError(t, w.survived(t.Context(), 3*time.Second))
			answers, err := s.stop()
			require.NoError(t, err)
			f := reports.FaultFigure{Fault: "cut", BoundMillis: 3000, Denied: 1}
			w.countAllowed(&f, answers)
			assert.Equal(t, fits, f.Holds() == nil, "back after %s: %+v", back, f)
			if fits {
				assert.InDelta(t, millis(back), f.RecoveredMillis, millis(hanging)+1)
			}
		})
	}
}

func TestAMendingThatFailedIsTriedAgain(t *testing.T) {
	calls := 0
	w := NewWorld(Environment{})
	w.broken = &broken{words: "the disk of etcd of c2 is full", mend: func(ctx context.Context) error {
		calls++
		return ctx.Err()
	}}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, w.mend(gone), reports.ErrInconclusive)
	require.NoError(t, w.mend(t.Context()))
	require.NoError(t, w.mend(t.Context()))
	assert.Equal(t, 2, calls, "once it is mended there is nothing to do")
}

func ofAWorkload() traffic.Outcome {
	return traffic.Outcome{Kind: traffic.Unexpected, Status: 500, Backend: traffic.Backend{Service: "ratings", Cluster: "c2"}}
}

func TestWhatAWorkloadAnswersIsNotWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorld(Environment{Meshes: scripted{answer: ofAWorkload}})
		require.Error(t, w.edgeGone(t.Context(), "2s", "c2", "GET", "/bookinfo/ratings/v1/ratings/0", "c1's certificate"))
		p, now := &probe{}, time.Now()
		for range warm {
			p.answers = append(p.answers, timed{sent: now, done: now, Outcome: traffic.Outcome{Kind: traffic.Allowed}})
		}
		p.answers = append(p.answers, timed{sent: now, done: now.Add(5 * time.Second), Outcome: ofAWorkload()})
		last, err := p.lastServed(now.Add(time.Second))
		require.NoError(t, err)
		assert.Equal(t, 4*time.Second, last)
	})
	assert.True(t, turnedAway(traffic.Outcome{Kind: traffic.DeniedByPolicy}))
	assert.False(t, turnedAway(traffic.Outcome{Kind: traffic.TimedOut}), "nobody knows")
}

func TestARequestThatCouldNotBeSentDecidesNothing(t *testing.T) {
	for _, bound := range []time.Duration{0, 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b := &besieged{}
			w := besiegedWorld(t, b)
			besiegedControl(t, w)
			sent := 0
			s := &steady{what: "it", overlapping: true, send: func(context.Context) ([]traffic.Outcome, error) {
				if sent++; sent > 100 {
					return []traffic.Outcome{{}}, errors.New("exec: no buffer space")
				}
				return []traffic.Outcome{{Kind: traffic.Allowed}}, nil
			}}
			s.start(t.Context())
			w.broken = &broken{words: "it is broken", mended: time.Now(), allowed: &watcher{steady: s}, denied: []*watcher{answered(traffic.DeniedByPolicy, 3)}}
			require.NoError(t, w.survived(t.Context(), bound))
			err := w.nothingAccepted(t.Context())
			require.ErrorIs(t, err, reports.ErrInconclusive)
			require.ErrorContains(t, err, "no buffer space")
		})
	}
}

func TestWhatIsUnderWayAtTheEndHasItsOwnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &steady{what: "it", overlapping: true, send: func(ctx context.Context) ([]traffic.Outcome, error) {
			select {
			case <-time.After(hanging + 100*time.Millisecond):
				return []traffic.Outcome{{Kind: traffic.Allowed}}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}}
		s.start(t.Context())
		time.Sleep(5*hanging + hanging/2)
		answers, err := s.stop()
		require.NoError(t, err)
		assert.Len(t, answers, 6)
		served, failed := s.since(time.Time{})
		assert.Equal(t, [2]int{6, 0}, [2]int{served, failed})
	})
}

func TestATimeOutAfterAWithdrawalIsNoReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		w := NewWorld(Environment{Meshes: scripted{answer: func() traffic.Outcome {
			if asked++; asked == steadily+2 {
				return traffic.Outcome{Kind: traffic.TimedOut}
			}
			return traffic.Outcome{Kind: traffic.DeniedByPolicy}
		}}})
		err := w.edgeGone(t.Context(), "2s", "c2", "GET", "/a", "c1's certificate")
		require.ErrorIs(t, err, reports.ErrInconclusive)
		require.ErrorContains(t, err, "no answer in time")
	})
}

func TestAReplicaThatHearsLaterIsNoReturn(t *testing.T) {
	for name, c := range map[string]struct {
		answered []int
		says     string
	}{
		"another worker hears later": {answered: []int{1, 3, 4}},
		"it comes back":              {answered: []int{1, steadily + 3}, says: "it was gone and came back"},
		"every other is answered":    {answered: []int{2, 4, 6, 8, 10, 12, 14, 16}, says: "no answer any more after 2"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				w := NewWorld(Environment{Meshes: scripted{answer: func() traffic.Outcome {
					asked++
					time.Sleep(100 * time.Millisecond)
					if slices.Contains(c.answered, asked) {
						return traffic.Outcome{Kind: traffic.Allowed}
					}
					return traffic.Outcome{Kind: traffic.DeniedByPolicy}
				}}})
				err := w.edgeGone(t.Context(), "2s", "c2", "GET", "/a", "c1's certificate")
				if c.says == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, c.says)
				}
			})
		})
	}
}

// Five refusals on a slow machine may take longer than the withdrawal.
func TestTheBoundOfAWithdrawalIsForItsFirstRefusal(t *testing.T) {
	for _, c := range []struct {
		served int64
		says   string
	}{{0, ""}, {2, ""}, {4, "no answer any more after 2.5"}} {
		synctest.Test(t, func(t *testing.T) {
			var asked atomic.Int64 // a try that takes as long as this one has another beside it
			w := NewWorld(Environment{Meshes: scripted{answer: func() traffic.Outcome {
				time.Sleep(500 * time.Millisecond)
				if asked.Add(1) <= c.served {
					return traffic.Outcome{Kind: traffic.Allowed}
				}
				return traffic.Outcome{Kind: traffic.DeniedByPolicy}
			}}})
			err := w.edgeGone(t.Context(), "2s", "c2", "GET", "/a", "c1's certificate")
			time.Sleep(time.Second) // of the tries, one is still under way
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
			require.NotErrorIs(t, err, reports.ErrInconclusive)
		})
	}
}

// A machine that stood still is no engine that refuses too much.
func TestAControlThatTimedOutDecidesNothing(t *testing.T) {
	for kind, unknown := range map[traffic.Kind]bool{traffic.TimedOut: true, traffic.UpstreamFailed: false} {
		w := NewWorld(Environment{Meshes: scripted{answer: func() traffic.Outcome { return traffic.Outcome{Kind: kind} }}})
		q, err := w.atEdge("c2", "GET", controlPath, "c1's certificate")
		require.NoError(t, err)
		w.control = &control{question: q, fits: by(traffic.Backend{})}
		_, err = w.alive(t.Context(), "right before")
		require.ErrorContains(t, err, "right before the attempt")
		assert.Equal(t, unknown, errors.Is(err, reports.ErrInconclusive), "%s", kind)
	}
}

// scripted are meshes whose gateways answer so.
type scripted struct {
	Meshes
	answer func() traffic.Outcome
}

func (s scripted) Edge(context.Context, string, Caller, Request) (traffic.Outcome, error) {
	return s.answer(), nil
}

// A question that was under way when something changed was decided before.
func TestOnlyWhatIsSentFromNowOnIsAnAnswerFromNowOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorld(Environment{})
		defer func() { _, _ = w.steady.abandon() }()
		require.NoError(t, w.keepAsking(t.Context(), "it", func(context.Context) ([]traffic.Outcome, error) {
			time.Sleep(time.Second)
			return make([]traffic.Outcome, 2*enough), nil
		}))
		time.Sleep(time.Second / 2)
		now := time.Now()
		require.NoError(t, w.moreAnswers(t.Context(), enough))
		assert.Equal(t, 2*enough, w.steady.countSince(now), "one was under way")
	})
}
