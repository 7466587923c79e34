package steps

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
)

func TestAFaultIsOfTheVocabularyAndOfAMesh(t *testing.T) {
	what, mesh, err := parseBreakage("the link to c2 is cut")
	require.NoError(t, err)
	assert.Equal(t, LinkCut, what)
	assert.Equal(t, "c2", mesh)
	what, _, err = parseBreakage("the disk of etcd of c2 is full")
	require.NoError(t, err)
	assert.Equal(t, EtcdDiskFull, what)
	for _, bad := range []string{"the link is cut", "the moon of c2 is paused", "c2"} {
		_, _, err := parseBreakage(bad)
		assert.ErrorContains(t, err, bad)
	}
}

func TestAnAnswerOfAnyWorkloadIsAnAcceptance(t *testing.T) {
	w := &World{}
	answers := []timed{
		{Outcome: traffic.Outcome{Kind: traffic.DeniedByPolicy}}, {Outcome: traffic.Outcome{Kind: traffic.TimedOut}},
		{Outcome: traffic.Outcome{Kind: traffic.Unexpected, Backend: traffic.Backend{Service: "ratings"}}}, {Outcome: traffic.Outcome{Kind: traffic.Allowed}},
	}
	assert.Equal(t, 2, w.countAccepted(&watcher{steady: &steady{what: "it"}}, answers))
}

// A gateway that is away refuses nobody: once its time-outs were counted as what
// it had refused.
func TestOnlyWhatSomebodyDecidedCountsAsDenied(t *testing.T) {
	for kind, want := range map[traffic.Kind]bool{
		traffic.DeniedByPolicy: true, traffic.HandshakeRefused: true, traffic.NoRoute: true, traffic.Malformed: true, traffic.Allowed: true,
		traffic.Reset: false, traffic.TimedOut: false, traffic.Unreachable: false, traffic.UpstreamFailed: false, traffic.WrongBackend: false, traffic.Unexpected: false,
	} {
		assert.Equal(t, want, decided(traffic.Outcome{Kind: kind}), kind)
	}
	assert.True(t, decided(traffic.Outcome{Kind: traffic.Unexpected, Backend: traffic.Backend{Service: "ratings"}}), "a workload has answered")
	synctest.Test(t, func(t *testing.T) {
		w := besiegedWorld(t, &besieged{})
		mended := time.Now()
		time.Sleep(time.Second)
		away := answered(traffic.TimedOut, 500)
		w.broken = &broken{words: "it is broken", mended: mended, allowed: answered(traffic.Allowed, 20), denied: []*watcher{answered(traffic.DeniedByPolicy, 20), away}}
		require.ErrorIs(t, w.nothingAccepted(t.Context()), reports.ErrInconclusive, "who is never judged proves nothing")
		assert.Equal(t, 20, w.Figures().Faults[0].Denied)

		w = besiegedWorld(t, &besieged{})
		early := answered(traffic.DeniedByPolicy, 20)
		time.Sleep(time.Second)
		w.broken = &broken{words: "it is broken", mended: time.Now(), allowed: answered(traffic.Allowed, 20), denied: []*watcher{early}}
		require.ErrorContains(t, w.nothingAccepted(t.Context()), "judged 0 times after it is broken, want 10")

		w = besiegedWorld(t, &besieged{})
		w.broken = &broken{words: "it is broken", mended: mended, allowed: answered(traffic.Allowed, 20), denied: []*watcher{answered(traffic.DeniedByPolicy, 20)}}
		require.NoError(t, w.nothingAccepted(t.Context()))
	})
}

func TestWhatIsSentAfterTheEndAndFailsCountsAsRecovery(t *testing.T) {
	mended := time.Now()
	w := &World{broken: &broken{mended: mended, allowed: &watcher{steady: &steady{what: "it"}}}}
	at := func(after time.Duration, kind traffic.Kind) timed {
		return timed{sent: mended.Add(after), done: mended.Add(after + 300*time.Millisecond), Outcome: traffic.Outcome{Kind: kind}}
	}
	var figure reports.FaultFigure
	w.countAllowed(&figure, []timed{at(-200*time.Millisecond, traffic.Reset), at(200*time.Millisecond, traffic.Reset), at(time.Second, traffic.Allowed)})
	assert.Equal(t, reports.FaultFigure{Allowed: 3, Failed: 2, RecoveredMillis: 1000}, figure)
}

func TestWhatBecameOfRequestsIsToldByWhenTheyWereSent(t *testing.T) {
	s, now := &steady{}, time.Now()
	at := func(ago time.Duration, kind traffic.Kind) {
		s.answers = append(s.answers, timed{sent: now.Add(-ago), done: now, Outcome: traffic.Outcome{Kind: kind}})
	}
	at(time.Second, traffic.Allowed)
	at(time.Minute, traffic.Reset)
	at(time.Second, traffic.TimedOut)
	served, failed := s.since(now.Add(-2 * time.Second))
	assert.Equal(t, [2]int{1, 1}, [2]int{served, failed})
	assert.Equal(t, 1, s.served())
}

// harmless breaks nothing.
type harmless struct{ Faults }

func (harmless) Break(context.Context, string, Breakage) (func(context.Context) error, error) {
	return func(context.Context) error { return nil }, nil
}

// What does nothing came back in time, and opened nothing.
func TestAFaultThatDoesNothingIsFeltByNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorld(Environment{Faults: harmless{}, Meshes: scripted{answer: func() traffic.Outcome { return traffic.Outcome{Kind: traffic.Allowed} }}})
		defer w.endWatch()
		require.NoError(t, w.breakFor(t.Context(), "2s", "the link to c2 is cut", "c2", "/bookinfo/ratings/v1/ratings/0"))
		require.NoError(t, w.survived(t.Context(), 3*time.Second))
		require.ErrorContains(t, w.felt(failed), "while the link to c2 is cut: none of")
	})
}
