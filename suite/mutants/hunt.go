package mutants

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
)

// Place is where mutants are played. It is a suite.Bench that can be put right
// after an engine that leaves things behind.
type Place interface {
	suite.Bench
	// Clean takes away, by the engine that is on the stage, whatever is there
	// that was not before the first scenario.
	Clean(ctx context.Context) error
}

// Hunt has scenarios look for mutants.
type Hunt struct {
	Place Place
	// Stage is the engine of Place.
	Stage *Stage
	Sound engine.Engine
	// Scenarios by id.
	Scenarios map[string]suite.Scenario
	// Full goes on after the first scenario that notices.
	Full bool
	// Inspect has `federator verify` look, too, at what each mutant and the sound
	// engine apply.
	Inspect bool
	// OnTry is told each verdict. Nil is silent.
	OnTry func(mutant string, t Try)
}

// slack is what a scenario gets beyond three times of what it takes with the
// sound engine.
const slack = 4 * time.Second

// ErrUnsound means that a scenario does not pass with the sound engine here and
// now: what it says of a broken one means nothing.
var ErrUnsound = errors.New("not green with the sound engine")

// control plays a scenario with the sound engine and returns how long it took.
func (h Hunt) control(ctx context.Context, id string) (time.Duration, error) {
	h.Stage.Enter(h.Sound)
	if h.Inspect {
		h.Stage.Enter(inspected{h.Sound})
	}
	entry, err := suite.Judge{Bench: h.Place}.Scenario(ctx, h.Scenarios[id])
	if err == nil && entry.Verdict != reports.Passed {
		err = fmt.Errorf("%w: %s: %s: %s", ErrUnsound, id, entry.Verdict, entry.Reason)
	}
	h.tell("", Try{Scenario: id, Verdict: entry.Verdict, Seconds: entry.DurationSeconds})
	return entry.Duration(), err
}

// Mutant lets the suspects look for one mutant. Each of them has to pass with the
// sound engine before it looks for the first time; took is what is known of that,
// and is added to. The error is the place's: then no other mutant can be judged
// on it.
func (h Hunt) Mutant(ctx context.Context, m Mutant, took map[string]time.Duration) (Result, error) {
	result := Result{Mutant: m.Name, Where: m.Where, Widens: m.Widens, Equivalent: m.Equivalent}
	for _, id := range m.Suspects {
		if _, known := took[id]; !known {
			sound, err := h.control(ctx, id)
			if err != nil {
				return result, err
			}
			took[id] = sound
		}
		one, err := h.try(ctx, m, id, slack+3*took[id])
		if err != nil {
			return result, fmt.Errorf("mutant %q: %s: %w", m.Name, id, err)
		}
		if one.Fate() == Undecided {
			// The machine was too slow for the short time-out: once more, with time.
			if one, err = h.try(ctx, m, id, reports.MaxScenarioTimeout); err != nil {
				return result, fmt.Errorf("mutant %q: %s: %w", m.Name, id, err)
			}
		}
		result.Tries = append(result.Tries, one)
		h.tell(m.Name, one)
		if one.Fate() != Survived && !h.Full {
			break
		}
	}
	return result, nil
}

// healLimit bounds how long the sound engine may take to put everything right.
const healLimit = 40 * time.Second

func (h Hunt) try(ctx context.Context, m Mutant, id string, timeout time.Duration) (Try, error) {
	broken := m.Engine()
	objects, inspectable := broken.(*objectsFault)
	if inspectable && h.Inspect {
		objects.inspecting, timeout = true, timeout+3*showing
	}
	h.Stage.Enter(broken)
	judge := suite.Judge{Bench: h.Place, Timeout: min(timeout, reports.MaxScenarioTimeout)}
	entry, err := judge.Scenario(ctx, h.Scenarios[id])
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), healLimit)
	defer cancel()
	err = errors.Join(err, broken.Settle(own))
	h.Stage.Enter(h.Sound)
	err = errors.Join(err, h.Place.Clean(own))
	if err == nil {
		err = ctx.Err()
	}
	one := Try{Scenario: id, Verdict: entry.Verdict, Reason: entry.Reason, Seconds: entry.DurationSeconds, InForce: broken.InForce()}
	if refusal := broken.Refused(); refusal != nil {
		one.Refused = refusal.Error()
	}
	if unsure := broken.Unsure(); unsure != nil {
		one.Unsure = unsure.Error()
	}
	if inspectable && h.Inspect {
		one.Found, err = objects.found, errors.Join(err, objects.blind)
	}
	return one, err
}

func (h Hunt) tell(mutant string, t Try) {
	if h.OnTry != nil {
		h.OnTry(mutant, t)
	}
}
