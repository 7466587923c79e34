package steps

import (
	"testing"
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
