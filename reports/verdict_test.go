package reports_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
)

func TestWhatIsProvedOutweighsWhatCouldNotBeFoundOut(t *testing.T) {
	leak, late := errors.New("a leak"), fmt.Errorf("%w: timed out", reports.ErrInconclusive)
	for _, errs := range [][]error{{leak, late}, {late, nil, leak}, {fmt.Errorf("row 1: %w", late), leak}} {
		err := reports.Weighed(errs...)
		require.ErrorIs(t, err, leak)
		require.NotErrorIs(t, err, reports.ErrInconclusive)
	}
	require.ErrorIs(t, reports.Weighed(nil, late), reports.ErrInconclusive)
	assert.NoError(t, reports.Weighed(nil, nil))
	figures := reports.Figures{
		Loads:  []reports.LoadFigure{{What: "c2", LagP99Millis: 9, LagLimitMillis: 5}},
		Faults: []reports.FaultFigure{{Fault: "it is cut", Denied: 9, Accepted: 1, Allowed: 1}},
	}
	require.NotErrorIs(t, figures.Holds(), reports.ErrInconclusive)
}
