package reports

import (
	"fmt"
	"slices"
)

// FaultFigure is what became of requests while something was broken and until
// some time after it was whole again.
type FaultFigure struct {
	// Fault in words: "the API server of c2 is paused".
	Fault string `json:"fault"`
	// Denied is how many requests that must be refused were decided by somebody,
	// and Accepted how many of them were not refused.
	Denied   int `json:"denied"`
	Accepted int `json:"accepted"`
	// Allowed is how many requests were sent that are served when nothing is
	// broken, and Failed how many of them were not.
	Allowed int `json:"allowed"`
	Failed  int `json:"failed"`
	// RecoveredMillis is how long after the end of the fault it took until all
	// that was sent was served; 0 if all was.
	RecoveredMillis float64 `json:"recoveredMillis"`
	// BoundMillis is what that must not exceed; 0 means that none may fail.
	BoundMillis float64 `json:"boundMillis"`
}

func (f FaultFigure) addTo(all *Figures) { all.Faults = append(all.Faults, f) }

func (f FaultFigure) validate() error {
	switch {
	case f.Denied == 0 || f.Allowed == 0:
		return fmt.Errorf("fault %q: %d denied and %d allowed requests decide nothing", f.Fault, f.Denied, f.Allowed)
	case f.Accepted < 0 || f.Accepted > f.Denied || f.Failed < 0 || f.Failed > f.Allowed:
		return fmt.Errorf("fault %q: more answers than requests", f.Fault)
	case f.RecoveredMillis < 0 || f.BoundMillis < 0:
		return fmt.Errorf("fault %q: a time below zero", f.Fault)
	}
	return nil
}

// Holds says whether nothing was accepted that is denied, and what is allowed
// came back in time.
func (f FaultFigure) Holds() error {
	switch {
	case f.Accepted > 0:
		return fmt.Errorf("while %s: %d of %d requests that are denied were accepted", f.Fault, f.Accepted, f.Denied)
	case f.BoundMillis == 0 && f.Failed > 0:
		return fmt.Errorf("while %s: %d of %d requests that are allowed failed, want none", f.Fault, f.Failed, f.Allowed)
	case f.RecoveredMillis > f.BoundMillis:
		return fmt.Errorf("after %s: what is allowed failed for another %.0f ms or longer, at most %.0f ms are allowed", f.Fault, f.RecoveredMillis, f.BoundMillis)
	}
	return nil
}

// confident is the upper end of the 95 % interval for 0 in one: the rule of
// three.
const confident = 3.0

func (f FaultFigure) lines() []string { return []string{f.line()} }

func (f FaultFigure) line() string {
	line := fmt.Sprintf("while %s: %d of %d denied requests accepted", f.Fault, f.Accepted, f.Denied)
	if f.Accepted == 0 {
		line += fmt.Sprintf(" (at most %.3f %% with 95 %% confidence)", 100*confident/float64(f.Denied))
	}
	line += fmt.Sprintf("; %d of %d allowed ones failed", f.Failed, f.Allowed)
	if f.BoundMillis > 0 {
		line += fmt.Sprintf(", all is served %.0f ms after its end (bound %.0f ms)", f.RecoveredMillis, f.BoundMillis)
	}
	return line
}

// FaultsTogether are the figures of several attempts, one for each fault and bound.
func FaultsTogether(all []FaultFigure) []FaultFigure {
	var sums []FaultFigure
	for _, one := range all {
		i := slices.IndexFunc(sums, func(f FaultFigure) bool { return f.Fault == one.Fault && f.BoundMillis == one.BoundMillis })
		if i < 0 {
			sums = append(sums, one)
			continue
		}
		s := &sums[i]
		s.Denied, s.Accepted, s.Allowed, s.Failed = s.Denied+one.Denied, s.Accepted+one.Accepted, s.Allowed+one.Allowed, s.Failed+one.Failed
		s.RecoveredMillis = max(s.RecoveredMillis, one.RecoveredMillis)
	}
	return sums
}
