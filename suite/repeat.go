package suite

import (
	"context"
	"fmt"
	"slices"
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
// that did not pass: later ones must not overwrite what explains it. Attempts
// that an interrupt kept from being made are one that decides nothing.
func (j Judge) repeated(ctx context.Context, s Scenario, r repetition) (reports.Scenario, error) {
	if r.times <= 1 && r.until.IsZero() {
		return j.Scenario(ctx, s)
	}
	var all plays
	for ctx.Err() == nil && r.wants(len(all.attempts)) {
		one, dead := j.Scenario(ctx, s)
		all.add(one)
		if all.speaker.Verdict != reports.Passed {
			j.EvidenceDir = nil
		}
		if dead != nil {
			return all.together(), dead
		}
	}
	if made, wanted := len(all.attempts), max(r.times, 1); made < wanted {
		all.add(notMade(s, made+1, wanted))
	}
	return all.together(), nil
}

// notMade is the first attempt that there was no time for.
func notMade(s Scenario, attempt, wanted int) reports.Scenario {
	entry := describe(s)
	entry.Verdict, entry.Reason = reports.Inconclusive, fmt.Sprintf("interrupted before attempt %d of %d", attempt, wanted)
	entry.Faults = []reports.Fault{{Kind: reports.FaultNotRun, Text: entry.Reason}}
	return entry
}

// plays are the attempts so far.
type plays struct {
	// speaker is the one whose record stands for all.
	speaker  reports.Scenario
	attempts []reports.Attempt
	measured reports.Figures
}

func (p *plays) add(one reports.Scenario) {
	p.measured.Faults = append(p.measured.Faults, one.Figures.Faults...)
	p.measured.Revocations = append(p.measured.Revocations, one.Figures.Revocations...)
	p.attempts = append(p.attempts, reports.Attempt{Verdict: one.Verdict, Reason: one.Reason, DurationSeconds: one.DurationSeconds})
	if len(p.attempts) == 1 || p.speaker.Verdict == reports.Passed {
		p.speaker = one
	}
}

// together is the one entry of all attempts. What was refused in each of them, and
// how long each withdrawal took, counts together: the more often, the more it
// says.
func (p *plays) together() reports.Scenario {
	speaker := p.speaker
	speaker.Figures.Faults = reports.FaultsTogether(p.measured.Faults)
	speaker.Figures.Revocations = reports.RevocationsTogether(p.measured.Revocations)
	speaker.Attempts, speaker.DurationSeconds = p.attempts, 0
	counts := map[reports.Verdict]int{}
	for _, a := range p.attempts {
		counts[a.Verdict]++
		speaker.DurationSeconds += a.DurationSeconds
	}
	speaker.Verdict = reports.Rejudge(speaker)
	if len(counts) > 1 {
		// What decided nothing says nothing of the rate.
		decided := len(p.attempts) - counts[reports.Inconclusive]
		low, high := reports.Wilson(counts[reports.Passed], decided)
		speaker.Reason = fmt.Sprintf("%d of %d attempts passed (95 %% interval of the true rate %.0f %% to %.0f %%); the first that did not: %s",
			counts[reports.Passed], decided, 100*low, 100*high, p.reason())
	}
	return speaker
}

// reason is that of the first attempt that did not pass, of those that decided
// something if there are any: beside a failure, why another attempt decided
// nothing explains nothing.
func (p *plays) reason() string {
	against := slices.IndexFunc(p.attempts, func(a reports.Attempt) bool {
		return a.Verdict != reports.Passed && a.Verdict != reports.Inconclusive
	})
	if against < 0 {
		return p.speaker.Reason
	}
	return p.attempts[against].Reason
}
