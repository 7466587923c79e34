package steps

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
)

// halves asks for a split of halves in c1 of which every period-th leaves.
func halves(t *testing.T, meshes *shared) (*World, error) {
	t.Helper()
	meshes.arrived = map[string][]string{}
	w := NewWorld(Environment{Meshes: meshes, Lab: twoMeshes{}})
	return w, w.requestsShared(t.Context(), "c1", "GET", "http://reviews:9080/reviews/0", 50, 50, "reviews v1 of c1", "reviews v1 of c2")
}

func TestASplitIsAskedForUntilItIsKnown(t *testing.T) {
	for name, c := range map[string]struct {
		period, most int
		says         string
	}{
		"halves":            {period: 2, most: 1000},
		"a third goes away": {period: 3, most: 1000, says: "want 50.00 %"},
		"one in twenty":     {period: 20, most: 1000, says: "want 50.00 %"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				meshes := &shared{period: c.period}
				w, err := halves(t, meshes)
				if c.says == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, c.says)
					require.NotErrorIs(t, err, reports.ErrInconclusive)
				}
				require.LessOrEqual(t, meshes.asked, c.most)
				require.Contains(t, w.record[len(w.record)-1], "by reviews v1 of c1")
			})
		})
	}
}

func TestASplitWithOneSideAloneIsWaitedForAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := halves(t, &shared{})
		require.ErrorContains(t, err, "an answer of reviews v1 of c2")
	})
}
