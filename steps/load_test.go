package steps

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic/load"
	"github.com/meshfed/meshfed/traffic/wire"
)

// loads are meshes that only know load.
type loads struct {
	Meshes
	// answer is what becomes of a plan.
	answer func(load.Plan) (load.Result, error)
	hops   []Hop
	cpu    []time.Duration
	timers Timers
}

func (l *loads) Load(_ context.Context, _ string, p load.Plan) (load.Result, error) {
	return l.answer(p)
}

func (l *loads) EdgeLoad(_ context.Context, _ string, p load.Plan, _ map[string]Caller) (load.Result, error) {
	return l.answer(p)
}

func (l *loads) Hops(_ context.Context, mesh, _ string, _ time.Time) ([]Hop, error) {
	if mesh != "c1" {
		return nil, nil
	}
	return l.hops, nil
}

func (l *loads) IngressCPU(context.Context, string) (time.Duration, error) {
	if len(l.cpu) == 0 {
		return 0, errors.New("no shell there")
	}
	used := l.cpu[0]
	l.cpu = l.cpu[1:]
	return used, nil
}

func (l *loads) IngressTimers(context.Context, string) (Timers, error) { return l.timers, nil }

type twoClusters struct{ cluster.Lab }

func (twoClusters) Clusters() []cluster.Cluster { return []cluster.Cluster{named("c1"), named("c2")} }

type aCluster struct {
	cluster.Cluster
	name string
}

func (c aCluster) Name() string { return c.name }

func named(name string) cluster.Cluster { return aCluster{name: name} }

func loadWorld(l *loads) *World { return NewWorld(Environment{Lab: twoClusters{}, Meshes: l}) }

// served is the result of a plan whose requests were all answered by ratings v1
// of c2, after so long.
func served(after time.Duration) func(load.Plan) (load.Result, error) {
	return func(p load.Plan) (load.Result, error) {
		r := load.Result{LagP99: time.Millisecond, LagLimit: 5 * time.Millisecond}
		for _, t := range p.Targets {
			r.Samples = append(r.Samples, load.Sample{
				Target: t.Name, Latency: []load.Bucket{{Micros: after.Microseconds(), Count: int64(p.Count / len(p.Targets))}},
				Example: wire.Result{Status: http.StatusOK, Headers: http.Header{
					wire.HeaderService: {"ratings"}, wire.HeaderVersion: {"v1"}, wire.HeaderCluster: {"c2"},
				}},
			})
		}
		return r, nil
	}
}

const one = "one | GET http://ratings:9080/ratings/0"

func TestARateGrowsUntilItIsNotCarried(t *testing.T) {
	var rates []int
	w := loadWorld(&loads{answer: func(p load.Plan) (load.Result, error) {
		rates = append(rates, p.Rate)
		after := time.Millisecond
		if p.Rate > 150 {
			after = 4 * time.Millisecond
		}
		return served(after)(p)
	}})
	require.NoError(t, w.ramp(t.Context(), "c1", 50, 1000, 1, "ratings v1 of c2", loadRows("name | request", one)))
	assert.Equal(t, []int{50, 76, 115, 173}, rates)
	knee := w.Figures().Knees[0]
	assert.InDelta(t, 115, knee.KneePerSecond, 0)
	assert.Equal(t, reports.KneeLate, knee.End)
}

func TestARateThatNobodyServesIsAFault(t *testing.T) {
	w := loadWorld(&loads{answer: served(time.Millisecond)})
	err := w.ramp(t.Context(), "c1", 50, 60, 1, "ratings v9 of c2", loadRows("name | request", one))
	assert.ErrorContains(t, err, "at 50/s 0 of 50 are served")
	assert.ErrorContains(t, w.ramp(t.Context(), "c1", 50, 40, 1, "ratings v1 of c2", loadRows("name | request", one)), "want it to grow")
}

// late is a generator that keeps its time from the third sending on.
func late(nonces *[]string) func(load.Plan) (load.Result, error) {
	return func(p load.Plan) (load.Result, error) {
		*nonces = append(*nonces, p.Targets[0].Nonce)
		r, err := served(time.Millisecond)(p)
		if len(*nonces) < 3 {
			r.LagP99 = 7 * time.Millisecond
		}
		return r, err
	}
}

func TestLoadIsSentAgainWhileTheGeneratorIsLate(t *testing.T) {
	var nonces []string
	w := loadWorld(&loads{answer: late(&nonces)})
	require.NoError(t, w.loadInside(t.Context(), 1, 100, "c1", loadRows("name | request", one)))
	figures := w.Figures().Loads
	require.Len(t, figures, 1)
	assert.Equal(t, []float64{7, 7}, figures[0].InvalidBefore)
	assert.EqualValues(t, 100, figures[0].Classes[0].Count, "of the last sending only")
	assert.Len(t, map[string]bool{nonces[0]: true, nonces[1]: true, nonces[2]: true}, 3, "no log may mix them up")
}

func TestLoadThatStaysLateIsInvalid(t *testing.T) {
	sent := 0
	w := loadWorld(&loads{answer: func(p load.Plan) (load.Result, error) {
		sent++
		r, err := served(time.Millisecond)(p)
		r.LagP99 = 7 * time.Millisecond
		return r, err
	}})
	err := w.loadInside(t.Context(), 1, 100, "c1", loadRows("name | request", one))
	require.ErrorIs(t, err, reports.ErrInconclusive)
	require.ErrorContains(t, err, "INVALID")
	assert.Equal(t, sendings, sent)

	// There must be time for another one, and for what is said of it.
	ctx, cancel := context.WithTimeout(t.Context(), judging)
	defer cancel()
	require.ErrorContains(t, w.loadInside(ctx, 1, 100, "c1", loadRows("name | request", one)), "INVALID")
	assert.Equal(t, sendings+1, sent)
}

func TestARunThatIsStoppedKeepsWhatItMeasured(t *testing.T) {
	stopped := errors.New("interrupted")
	w := loadWorld(&loads{answer: func(p load.Plan) (load.Result, error) {
		r, _ := served(time.Millisecond)(p)
		return r, stopped
	}})
	err := w.loadInside(t.Context(), 1, 100, "c1", loadRows("name | request", one))
	require.ErrorIs(t, err, reports.ErrInconclusive)
	require.ErrorIs(t, err, stopped)
	figures := w.Figures()
	require.Len(t, figures.Loads, 1)
	assert.True(t, figures.Loads[0].Interrupted)
	assert.EqualValues(t, 100, figures.Loads[0].Classes[0].Count)
	require.ErrorIs(t, figures.Holds(), reports.ErrInconclusive, "nothing follows from it")
}

func TestABoundOfLatencyIsInMillisecondsOrAShare(t *testing.T) {
	l := &loads{answer: served(time.Millisecond)}
	w := loadWorld(l)
	require.NoError(t, w.loadInside(t.Context(), 8, 100, "c1", loadRows("name | request", "other | GET http://ratings:9080/ratings/1")))
	l.answer = served(5 * time.Millisecond)
	require.NoError(t, w.loadInside(t.Context(), 8, 100, "c1", loadRows("name | request", one)))

	require.NoError(t, w.loadLonger(t.Context(), "one", "4.5", "other", "50"))
	require.NoError(t, w.loadSlower(t.Context(), "one", 450, "other", "50"))
	for kind, err := range map[string]error{
		"milliseconds": w.loadLonger(t.Context(), "one", "3.5", "other", "50"),
		"a share":      w.loadSlower(t.Context(), "one", 350, "other", "50"),
	} {
		require.ErrorContains(t, err, "at most 3.50 ms", kind)
		require.NotErrorIs(t, err, reports.ErrInconclusive, kind)
	}
}

func TestAPlantedDelayIsFoundInTheHopThatHasIt(t *testing.T) {
	hop := func(proxy string, rank int, own time.Duration) Hop {
		h := Hop{Proxy: proxy, Rank: rank, Resolution: time.Microsecond}
		for range 400 {
			h.Own = append(h.Own, own)
		}
		return h
	}
	l := &loads{answer: served(time.Millisecond)}
	w := loadWorld(l)
	require.NoError(t, w.loadInside(t.Context(), 8, 100, "c1", loadRows("name | request", one, "other | GET http://ratings:9080/ratings/1")))
	l.hops = []Hop{hop("ingress gateway of c2", 2, 5*time.Millisecond), hop("egress gateway of c1", 1, time.Millisecond)}
	require.NoError(t, w.hopsTold(t.Context(), "one"))
	told := w.Figures().Hops[0]
	assert.Equal(t, "egress gateway of c1", told.Hops[0].Proxy, "in the order of the way")
	assert.InDelta(t, 5, told.Hops[1].Quantiles[0].Millis, 0)
	assert.EqualValues(t, 400, told.Requests)

	// Both have the same share now, so nothing is planted.
	l.timers = CoarseTimers
	err := w.hopPlanted(t.Context(), "c2", 5, "one", "other", "50")
	require.ErrorContains(t, err, "at least 5.00 ms are wanted")
	l.timers = ExactTimers
	err = w.hopPlanted(t.Context(), "c2", 5, "one", "other", "50")
	require.ErrorContains(t, err, "at least 4.50 ms are wanted")
	err = w.hopPlanted(t.Context(), "c1", 5, "one", "other", "50")
	require.ErrorIs(t, err, reports.ErrInconclusive)
	l.timers = ""
	require.Error(t, w.loadPlanted(t.Context(), "one", 5, "other", "50", "c2"))
	l.hops = nil
	require.ErrorIs(t, w.hopsTold(t.Context(), "one"), reports.ErrInconclusive)
}

func TestAPlantedDelayIsFoundAsExactlyAsTimersGo(t *testing.T) {
	for timers, want := range map[Timers][2]float64{ExactTimers: {4.5, 5.5}, CoarseTimers: {5, 9}} {
		limits, err := timers.planted(5)
		require.NoError(t, err)
		floor, bound := limits(1)
		assert.Equal(t, want, [2]float64{floor, bound}, timers)
	}
	_, err := Timers("wound up").planted(5)
	require.ErrorContains(t, err, "of no kind that is known")
}

func TestACostIsToldOnlyOfWhatWasSentAlone(t *testing.T) {
	l := &loads{answer: served(time.Millisecond), cpu: []time.Duration{time.Second, 3 * time.Second / 2, time.Second, time.Second}}
	w := loadWorld(l)
	require.NoError(t, w.loadAtEdge(t.Context(), 1, 100, "c2", loadRows("name | request | with | connections", "one | GET /a | c1's certificate | fresh")))
	require.NoError(t, w.costTold(t.Context(), "one", "c2"))
	cost := w.Figures().Costs[0]
	assert.InDelta(t, 200, cost.PerCoreSecond(), 0)
	assert.True(t, cost.NewConnections)
	require.ErrorContains(t, w.costTold(t.Context(), "one", "c1"), "did not arrive at c1")

	both := loadRows("name | request | with", "a | GET /a | c1's certificate", "b | GET /a | c3's certificate")
	require.NoError(t, w.loadAtEdge(t.Context(), 1, 100, "c2", both))
	require.ErrorContains(t, w.costTold(t.Context(), "a", "c2"), "by turns with others")
	require.NoError(t, w.loadAtEdge(t.Context(), 1, 100, "c2", loadRows("name | request | with", "c | GET /a | c1's certificate")))
	require.ErrorContains(t, w.costTold(t.Context(), "c", "c2"), "no shell there")
}
