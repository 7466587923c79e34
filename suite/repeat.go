package suite

import (
	"context"
	"fmt"

	"github.com/meshfed/meshfed/reports"
)

// repeated plays s as often as it is wanted and makes one entry of all
// attempts. The attempt that speaks for them, with its evidence, is the first
// that did not pass: later ones must not overwrite what explains it.
func (j Judge) repeated(ctx context.Context, s Scenario, times int) (reports.Scenario, error) {
	if times <= 1 {
		return j.Scenario(ctx, s)
	}
	var speaker reports.Scenario
	var attempts []reports.Attempt
	for ctx.Err() == nil && len(attempts) < times {
		one, dead := j.Scenario(ctx, s)
		attempts = append(attempts, reports.Attempt{Verdict: one.Verdict, Reason: one.Reason, DurationSeconds: one.DurationSeconds})
		if len(attempts) == 1 || speaker.Verdict == reports.Passed {
			speaker = one
		}
		if speaker.Verdict != reports.Passed {
			j.EvidenceDir = nil
		}
		if dead != nil {
			return several(speaker, attempts), dead
		}
	}
	return several(speaker, attempts), nil
}

// several is the one entry of all attempts.
func several(speaker reports.Scenario, attempts []reports.Attempt) reports.Scenario {
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
