package suite

import (
	"context"
	"fmt"
	"time"

	"github.com/meshfed/meshfed/reports"
)

// repetition is how often a scenario is played. The zero value is once.
type repetition struct {
	times int
	// until is the moment before which another attempt begins all the same.
	until time.Time
}

func (r repetition) wants(done int) bool { return done < max(r.times, 1) || time.Now().Before(r.until) }

// repeated plays s as often as it is wanted and makes one entry of all
// attempts. The attempt that speaks for them, with its evidence, is the first
// that did not pass: later ones must not overwrite what explains it.
func (j Judge) repeated(ctx context.Context, s Scenario, r repetition) (reports.Scenario, error) {
	if r.times <= 1 && r.until.IsZero() {
		return j.Scenario(ctx, s)
	}
	var measured reports.Figures
	var speaker reports.Scenario
	var attempts []reports.Attempt
	for ctx.Err() == nil && r.wants(len(attempts)) {
		one, dead := j.Scenario(ctx, s)
		measured.Faults = append(measured.Faults, one.Figures.Faults...)
		measured.Revocations = append(measured.Revocations, one.Figures.Revocations...)
		attempts = append(attempts, reports.Attempt{Verdict: one.Verdict, Reason: one.Reason, DurationSeconds: one.DurationSeconds})
		if len(attempts) == 1 || speaker.Verdict == reports.Passed {
			speaker = one
		}
		if speaker.Verdict != reports.Passed {
			j.EvidenceDir = nil
		}
		if dead != nil {
			return several(speaker, attempts, measured), dead
		}
	}
	return several(speaker, attempts, measured), nil
}

// several is the one entry of all attempts. What was refused in each of them, and
// how long each withdrawal took, counts together: the more often, the more it
// says.
func several(speaker reports.Scenario, attempts []reports.Attempt, measured reports.Figures) reports.Scenario {
	speaker.Figures.Faults = reports.FaultsTogether(measured.Faults)
	speaker.Figures.Revocations = reports.RevocationsTogether(measured.Revocations)
	speaker.Attempts, speaker.DurationSeconds = attempts, 0
	counts := map[reports.Verdict]int{}
	for _, a := range attempts {
		counts[a.Verdict]++
		speaker.DurationSeconds += a.DurationSeconds
	}
	speaker.Verdict = reports.Rejudge(speaker)
	if len(counts) > 1 {
		low, high := reports.Wilson(counts[reports.Passed], len(attempts))
		speaker.Reason = fmt.Sprintf("%d of %d attempts passed (95 %% interval of the true rate %.0f %% to %.0f %%); the first that did not: %s",
			counts[reports.Passed], len(attempts), 100*low, 100*high, speaker.Reason)
	}
	return speaker
}
