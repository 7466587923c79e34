package steps

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/wire"
)

// withdrawing is the engine of c2 and its gateway.
type withdrawing struct {
	Meshes
	engine.Engine

	// then is what becomes of c1's requests from the withdrawal on, and how long it
	// takes.
	then func(since time.Duration) (traffic.Outcome, time.Duration)
	// slow is how long the engine waits before it says that it has been done.
	slow time.Duration
	// resumes TLS sessions.
	resumes bool
	// dead: the gateway serves nobody else either.
	dead bool

	mu        sync.Mutex
	withdrawn time.Time
	arrived   []string
}

func (g *withdrawing) Cancel(context.Context, cluster.Cluster, string) error { return g.withdraw(true) }

func (g *withdrawing) Apply(_ context.Context, _ cluster.Cluster, declarations string) error {
	return g.withdraw(strings.Contains(declarations, "for c3 alone"))
}

func (g *withdrawing) withdraw(is bool) error {
	defer time.Sleep(g.slow)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.withdrawn = time.Time{}
	if is {
		g.withdrawn = time.Now()
	}
	return nil
}

func (g *withdrawing) Edge(_ context.Context, _ string, as Caller, r Request) (traffic.Outcome, error) {
	if as.Mesh == "c3" {
		if g.dead {
			return traffic.Outcome{Kind: traffic.Unreachable}, nil
		}
		return g.serve(r), nil
	}
	return g.answer(r), nil
}

func (g *withdrawing) answer(r Request) traffic.Outcome {
	g.mu.Lock()
	since := g.withdrawn
	g.mu.Unlock()
	time.Sleep(time.Millisecond)
	if since.IsZero() {
		return g.serve(r)
	}
	o, delay := g.then(time.Since(since))
	time.Sleep(delay)
	if gotIn(o) {
		return g.serve(r)
	}
	return o
}

func (g *withdrawing) serve(r Request) traffic.Outcome {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.arrived = append(g.arrived, r.Nonce)
	return fromRatings()
}

func (g *withdrawing) Arrivals(_ context.Context, _, nonce string) ([]Arrival, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.Contains(g.arrived, nonce) {
		return []Arrival{{Service: "ratings", Cluster: "c2"}}, nil
	}
	return nil, nil
}

func (g *withdrawing) GatewayAddress(context.Context, string) (host, port string, err error) {
	return "192.0.2.2", "15443", nil
}

func (g *withdrawing) Line(_ context.Context, _ string, _ Caller, kind reports.Connection) (Line, error) {
	return &scriptedLine{gateway: g, kind: kind}, nil
}

// scriptedLine is one to a withdrawing gateway; a kept connection ends with the
// first refusal.
type scriptedLine struct {
	gateway *withdrawing
	kind    reports.Connection
	over    bool
}

func (l *scriptedLine) Ask(_ context.Context, r Request) (traffic.Outcome, error) {
	o := l.gateway.answer(r)
	o.Resumed = l.gateway.resumes && l.kind == reports.ResumedConnection
	l.over = !gotIn(o) && l.kind != reports.NewConnection && l.kind != reports.ResumedConnection
	return o, nil
}

func (l *scriptedLine) Live() bool { return !l.over }
func (l *scriptedLine) Close()     {}

type labOfC2 struct{ oneMeshLab }

func (labOfC2) Cluster(name string) (cluster.Cluster, error) {
	if name != "c2" {
		return nil, errors.New("no such cluster")
	}
	return oneMesh{}, nil
}

func fromRatings() traffic.Outcome {
	return traffic.Outcome{Kind: traffic.Allowed, Backend: traffic.Backend{Service: "ratings", Cluster: "c2"}}
}

// soon has the last request served 50 ms after the withdrawal.
func soon(kind traffic.Kind) func(time.Duration) (traffic.Outcome, time.Duration) {
	return func(since time.Duration) (traffic.Outcome, time.Duration) {
		if since < 50*time.Millisecond {
			return fromRatings(), 0
		}
		return traffic.Outcome{Kind: kind}, 0
	}
}

// cancels and moved are two ways to withdraw.
func cancels() revocation {
	return revocation{way: "cancel", path: "/bookinfo/ratings/v1/ratings/0", mesh: "c2", times: 2, fresh: 400, live: 2000, which: "busy"}
}

func moved() revocation {
	r, then := cancels(), "# for c3 alone\n"
	r.way, r.then = "moved", &then
	return r
}

// timedRevocation is what a scenario finds of a gateway, and its figures.
func timedRevocation(t *testing.T, g *withdrawing, r revocation) (*World, error) {
	t.Helper()
	w := NewWorld(Environment{Lab: labOfC2{}, Engine: g, Meshes: g})
	w.declared["c2"] = "before"
	return w, w.revoked(t.Context(), r)
}

func TestAWithdrawalThatHoldsIsTimed(t *testing.T) {
	for r, kind := range map[*revocation]traffic.Kind{new(cancels()): traffic.Unreachable, new(moved()): traffic.DeniedByPolicy} {
		synctest.Test(t, func(t *testing.T) {
			w, err := timedRevocation(t, &withdrawing{then: soon(kind)}, *r)
			require.NoError(t, err)
			figures := w.Figures().Revocations
			require.Len(t, figures, 4)
			for _, f := range figures {
				assert.Equal(t, 2, f.N)
				assert.InDelta(t, 50, f.MaxMillis, 10, "%s", f.Connection)
			}
		})
	}
}

// A handshake takes a tenth of a second on a machine that does other work.
func TestABusyMachineIsGivenTheTimeToAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := timedRevocation(t, &withdrawing{then: func(time.Duration) (traffic.Outcome, time.Duration) {
			return traffic.Outcome{Kind: traffic.DeniedByPolicy}, 100 * time.Millisecond
		}}, moved())
		require.NoError(t, err)
	})
}

// Who waits until all is in force before it says that the API server has accepted
// would be told to have taken no time at all.
func TestAnEngineThatWaitsGainsNothing(t *testing.T) {
	for slow, says := range map[time.Duration]string{time.Second: "", 5 * time.Second: "the engine was asked, which took 5000 ms of them"} {
		synctest.Test(t, func(t *testing.T) {
			w, err := timedRevocation(t, &withdrawing{then: soon(traffic.DeniedByPolicy), slow: slow}, moved())
			if says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, says)
			}
			assert.InDelta(t, millis(slow), w.Figures().Revocations[0].MostAcknowledgedMillis(), 1)
		})
	}
}

// slowOwners take their time to sign a list and to write a secret.
type slowOwners struct {
	Owners
	gateway *withdrawing
}

func (o slowOwners) Trust(context.Context, string, Trust) error {
	time.Sleep(5 * time.Second)
	return o.gateway.withdraw(true)
}

func (slowOwners) Restore(context.Context, string) error { return nil }

func (g *withdrawing) Serial(Caller) (*big.Int, error) { return big.NewInt(1), nil }

// What the harness and the owner do before the engine is asked is none of its time;
// and one that is not asked has none.
func TestAnEngineAnswersForItsOwnTimeAlone(t *testing.T) {
	distrusts := func(renamed bool) revocation {
		r := cancels()
		r.way, r.distrust = "distrusted", &distrust{renamed: renamed}
		return r
	}
	made := func() (*World, *withdrawing) {
		g := &withdrawing{then: func(time.Duration) (traffic.Outcome, time.Duration) {
			return traffic.Outcome{Kind: traffic.HandshakeRefused, Alert: "certificate_revoked"}, 0
		}}
		w := NewWorld(Environment{Lab: labOfC2{}, Engine: g, Meshes: g, Owners: slowOwners{gateway: g}})
		w.declared["c2"] = "before"
		return w, g
	}
	synctest.Test(t, func(t *testing.T) {
		w, g := made()
		g.slow = time.Second
		asked, err := w.withdraw(t.Context(), distrusts(true))
		require.NoError(t, err)
		assert.Equal(t, g.slow, time.Since(asked))
	})
	synctest.Test(t, func(t *testing.T) {
		w, _ := made()
		require.NoError(t, w.revoked(t.Context(), distrusts(false)))
		require.NotEmpty(t, w.Figures().Revocations)
		for _, f := range w.Figures().Revocations {
			assert.Empty(t, f.AcknowledgedMillis, "%s", f.Connection)
		}
		assert.NotContains(t, strings.Join(w.record, "\n"), "accepted after")
	})
}

func TestWhatIsNeverResumedIsNotToldAsResumed(t *testing.T) {
	for resumes, kind := range map[bool]reports.Connection{true: reports.ResumedConnection, false: reports.NoResumption} {
		synctest.Test(t, func(t *testing.T) {
			w, err := timedRevocation(t, &withdrawing{then: soon(traffic.DeniedByPolicy), resumes: resumes}, moved())
			require.NoError(t, err)
			var kinds []reports.Connection
			for _, f := range w.Figures().Revocations {
				kinds = append(kinds, f.Connection)
				assert.Equal(t, 2, f.N)
			}
			assert.ElementsMatch(t, []reports.Connection{reports.NewConnection, kind, reports.LiveHTTP1, reports.LiveHTTP2}, kinds)
		})
	}
}

// A gateway that has died, one that only delays, and one that refuses for another
// reason let nobody in for a while, and have withdrawn nothing.
func TestWhatOnlyLooksLikeAWithdrawalIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		gateway *withdrawing
		r       revocation
		says    string
		unknown bool
		leaks   bool
	}{
		"each request is served 2.8 s late": {gateway: &withdrawing{then: func(time.Duration) (traffic.Outcome, time.Duration) {
			return fromRatings(), 2800 * time.Millisecond
		}}, r: moved(), says: "at most 400 ms are allowed"},
		"each request hangs": {gateway: &withdrawing{then: func(time.Duration) (traffic.Outcome, time.Duration) {
			return traffic.Outcome{Kind: traffic.TimedOut}, 3 * time.Second
		}}, r: moved(), says: "no answer that tells anything", unknown: true},
		"the client refuses the server": {gateway: &withdrawing{then: func(time.Duration) (traffic.Outcome, time.Duration) {
			return traffic.Outcome{Kind: traffic.WrongBackend, Fault: wire.FaultServerIdentity}, 0
		}}, r: moved(), says: "no answer that tells anything", unknown: true},
		"the gateway has died":               {gateway: &withdrawing{then: soon(traffic.Unreachable), dead: true}, r: moved(), says: "want denied by policy when the bound has passed; got: unreachable"},
		"it refuses others too":              {gateway: &withdrawing{then: soon(traffic.DeniedByPolicy), dead: true}, r: moved(), says: "the control failed right after the attempt"},
		"a cancel leaves a policy that says": {gateway: &withdrawing{then: soon(traffic.DeniedByPolicy)}, r: cancels(), says: "want 10 of no connection after the last answer, there were 0"},
		"it arrives, and is refused then":    {gateway: &withdrawing{then: soon(traffic.DeniedByPolicy)}, r: moved(), leaks: true, says: "it was refused, and yet ratings"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := NewWorld(Environment{Lab: labOfC2{}, Engine: c.gateway, Meshes: c.gateway})
				if c.leaks {
					w.Meshes = leaking{c.gateway}
				}
				w.declared["c2"] = "before"
				err := w.revoked(t.Context(), c.r)
				require.ErrorContains(t, err, c.says)
				assert.Equal(t, c.unknown, errors.Is(err, reports.ErrInconclusive), "%v", err)
			})
		})
	}
}

// leaking has seen everything.
type leaking struct{ *withdrawing }

func (leaking) Arrivals(context.Context, string, string) ([]Arrival, error) {
	return []Arrival{{Service: "ratings", Cluster: "c2"}}, nil
}

func TestALineThatWasNotAskedAgainProvesNothing(t *testing.T) {
	p, now := &probe{kind: reports.NewConnection}, time.Now()
	for range warm {
		p.answers = append(p.answers, timed{sent: now, done: now, Outcome: fromRatings()})
	}
	require.ErrorIs(t, p.turnedAwayAs(moved().refusals()), reports.ErrInconclusive)
	for range enough {
		p.answers = append(p.answers, timed{sent: now.Add(time.Second), done: now.Add(time.Second), Outcome: traffic.Outcome{Kind: traffic.DeniedByPolicy}})
	}
	require.NoError(t, p.turnedAwayAs(moved().refusals()))
}

func TestWhatTheCallerRefusedWasNotTurnedAway(t *testing.T) {
	foreign := traffic.Outcome{Kind: traffic.WrongBackend, Fault: wire.FaultServerIdentity}
	assert.False(t, turnedAway(foreign))
	synctest.Test(t, func(t *testing.T) {
		w := NewWorld(Environment{Meshes: scripted{answer: func() traffic.Outcome { return foreign }}})
		require.Error(t, w.edgeGone(t.Context(), "2s", "c2", "GET", "/a", "c1's certificate"))
	})
}
