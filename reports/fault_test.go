package reports

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAFaultIsJudgedByItsOwnNumbers(t *testing.T) {
	whole := FaultFigure{Fault: "it is cut", Denied: 300, Allowed: 100}
	for want, f := range map[string]FaultFigure{
		"":               whole,
		"accepted":       {Denied: 300, Accepted: 1, Allowed: 100},
		"want none":      {Denied: 300, Allowed: 100, Failed: 1},
		"at most 50 ms":  {Denied: 300, Allowed: 100, Failed: 1, RecoveredMillis: 51, BoundMillis: 50},
		"another 200 ms": {Denied: 300, Allowed: 100, Failed: 9, RecoveredMillis: 200, BoundMillis: 50},
	} {
		if want == "" {
			assert.NoError(t, f.Holds())
			continue
		}
		assert.ErrorContains(t, f.Holds(), want)
	}
	assert.NoError(t, FaultFigure{Denied: 1, Allowed: 2, Failed: 2, RecoveredMillis: 50, BoundMillis: 50}.Holds())
	assert.Equal(t, "while it is cut: 0 of 300 denied requests accepted (at most 1.000 % with 95 % confidence); 0 of 100 allowed ones failed", whole.line())
}

func TestAFaultThatNobodyMetDecidesNothing(t *testing.T) {
	for want, f := range map[string]FaultFigure{
		"decide nothing": {Denied: 3}, "0 denied": {Allowed: 3}, "more answers": {Denied: 3, Allowed: 3, Failed: 4},
		"below zero": {Denied: 3, Allowed: 3, RecoveredMillis: -1},
	} {
		assert.ErrorContains(t, f.validate(), want)
	}
}

func TestAttemptsCountTogether(t *testing.T) {
	assert.Equal(t, []FaultFigure{
		{Fault: "a", Denied: 5, Accepted: 1, Allowed: 7, Failed: 2, RecoveredMillis: 9},
		{Fault: "b", Denied: 1, Allowed: 1},
	}, FaultsTogether([]FaultFigure{
		{Fault: "a", Denied: 2, Accepted: 1, Allowed: 3, RecoveredMillis: 9}, {Fault: "b", Denied: 1, Allowed: 1}, {Fault: "a", Denied: 3, Allowed: 4, Failed: 2, RecoveredMillis: 4},
	}))
	assert.Empty(t, FaultsTogether(nil))
}

func TestWithdrawalsOfAllAttemptsAreOneFigure(t *testing.T) {
	got := RevocationsTogether([]RevocationFigure{
		Revocation("cancel", NewConnection, 400, []float64{1, 2}), Revocation("cancel", LiveHTTP1, 2000, []float64{7}), Revocation("cancel", NewConnection, 400, []float64{9}),
	})
	assert.Equal(t, []RevocationFigure{Revocation("cancel", NewConnection, 400, []float64{1, 2, 9}), Revocation("cancel", LiveHTTP1, 2000, []float64{7})}, got)
	for _, f := range got {
		assert.NoError(t, f.validate())
	}
}

// Pooled under the bound of one of them, the others would be judged by what was
// never claimed of them.
func TestWhatHasAnotherBoundIsAnotherFigure(t *testing.T) {
	strict, lax := Revocation("cancel", NewConnection, 400, []float64{401}), Revocation("cancel", NewConnection, 2000, []float64{7})
	for _, order := range [][]RevocationFigure{{strict, lax}, {lax, strict}} {
		assert.Equal(t, order, RevocationsTogether(order))
		assert.ErrorContains(t, Figures{Revocations: RevocationsTogether(order)}.Holds(), "401 ms")
	}
	none, late := FaultFigure{Fault: "a", Denied: 1, Allowed: 2, Failed: 1}, FaultFigure{Fault: "a", Denied: 1, Allowed: 2, BoundMillis: 50}
	for _, order := range [][]FaultFigure{{none, late}, {late, none}} {
		assert.Equal(t, order, FaultsTogether(order))
		assert.ErrorContains(t, Figures{Faults: FaultsTogether(order)}.Holds(), "want none")
	}
}
