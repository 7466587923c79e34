package steps

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
)

// changing are meshes of which an owner has changed something: what she bars is
// refused from within, and some of the controls meet a connection that ends.
type changing struct {
	*besieged
	inside []traffic.Kind // one after the other, the last one for ever
}

func (c *changing) Inside(_ context.Context, _ string, r Request, times int) ([]traffic.Outcome, error) {
	kind := c.inside[0]
	if len(c.inside) > 1 {
		c.inside = c.inside[1:]
	}
	answers := make([]traffic.Outcome, times)
	for i := range answers {
		answers[i] = traffic.Outcome{Kind: kind}
	}
	return answers, nil
}

// A sidecar whose policy has just changed ends the connections of before: the
// control met one of them once in seventeen runs.
func TestAControlThatMeetsAnEndingConnectionIsAskedAgainWhileThingsSettle(t *testing.T) {
	denied, allowed := traffic.DeniedByPolicy, traffic.Allowed
	every := make([]int, 10_000)
	for i := range every {
		every[i] = i + 1
	}
	cases := map[string]struct {
		dead   []int
		inside []traffic.Kind
		says   string
	}{
		"all is well":                         {inside: []traffic.Kind{allowed, denied}},
		"right before fails once":             {dead: []int{1}, inside: []traffic.Kind{denied}},
		"right after fails, and once more":    {dead: []int{2, 4}, inside: []traffic.Kind{denied}},
		"the attempt passes":                  {inside: []traffic.Kind{denied, allowed, denied}, says: "want denied by policy; got"},
		"it passes, and the control fails":    {dead: []int{2}, inside: []traffic.Kind{denied, allowed, denied}, says: "want denied by policy; got"},
		"it passes beside the control's turn": {dead: []int{2}, inside: []traffic.Kind{denied, denied, allowed, denied}, says: "want denied by policy; got"},
		"the control is gone for good":        {dead: every, inside: []traffic.Kind{denied}, says: "the control failed right before the attempt"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &besieged{dead: c.dead}
				w := besiegedWorld(t, b)
				w.Meshes = &changing{besieged: b, inside: c.inside}
				besiegedControl(t, w)
				err := w.insideRefusedSoon(t.Context(), "c2", "GET", "http://ratings:9080/", "", "", "denied by policy")
				if c.says == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, c.says)
				require.NotErrorIs(t, err, reports.ErrInconclusive)
			})
		})
	}
}

// Nor is a refusal that nobody has changed anything for asked again.
func TestWhereNothingChangesAControlThatFailsIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &besieged{dead: []int{1}}
		w := besiegedWorld(t, b)
		w.Meshes = &changing{besieged: b, inside: []traffic.Kind{traffic.DeniedByPolicy}}
		besiegedControl(t, w)
		require.ErrorIs(t, w.insideRefused(t.Context(), "c2", "GET", "http://ratings:9080/", "", "", "denied by policy"), errControlFailed)
		assert.Equal(t, 1, b.controls)
	})
}

func TestAnAnswerToAnAttackNeedsNoControlToBeALeak(t *testing.T) {
	fits := func(o traffic.Outcome) bool { return o.Kind == traffic.DeniedByPolicy }
	unknown := inconclusive(errors.New("the control was not answered in time"))
	answered, refused, silent := asked{Outcome: traffic.Outcome{Kind: traffic.Allowed}}, asked{Outcome: traffic.Outcome{Kind: traffic.DeniedByPolicy}}, asked{Outcome: traffic.Outcome{Kind: traffic.TimedOut}}
	require.NotErrorIs(t, answered.judged(unknown, "denied", fits), reports.ErrInconclusive)
	require.ErrorContains(t, answered.judged(unknown, "denied", fits), "want denied; got")
	require.ErrorIs(t, silent.judged(unknown, "denied", fits), reports.ErrInconclusive, "a machine that stood still refuses nothing")
	require.ErrorContains(t, silent.judged(nil, "denied", fits), "want denied; got")
	require.NoError(t, refused.judged(nil, "denied", fits))
	require.ErrorIs(t, asked{}.judged(unknown, "denied", fits), reports.ErrInconclusive, "nothing was asked")
}
