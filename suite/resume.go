package suite

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/meshfed/meshfed/reports"
)

// resume opens the journal of the earlier run, which must have been the same
// one: verdicts of two different things must never stand in one report.
func (s Suite) resume(folder reports.Folder, run reports.Run) (*reports.Journal, reports.ConformanceReport, error) {
	before, err := reports.Rebuild(folder.Journal())
	if err != nil {
		return nil, before, fmt.Errorf("%w: resume: %w", ErrUsage, err)
	}
	if before.Provider == "" {
		return nil, before, fmt.Errorf("%w: resume %s: its set-up died, so that there is nothing to go on with: start a new run", ErrUsage, s.ID)
	}
	if differences := differ(run, before.Run); len(differences) > 0 {
		return nil, before, fmt.Errorf("%w: resume %s: this is not the same run any more: %s", ErrUsage, s.ID, strings.Join(differences, "; "))
	}
	journal, before, err := reports.ContinueJournal(folder.Journal(), time.Now().UTC())
	if err != nil {
		return nil, before, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	return journal, before, nil
}

// differ names what is not as it was when the run began.
func differ(now, then reports.Run) []string {
	var differences []string
	for _, one := range []struct {
		what      string
		now, then any
	}{
		{"implementation", now.Implementation, then.Implementation},
		{"suite version", now.SuiteVersion, then.SuiteVersion},
		{"features", now.FeaturesDigest, then.FeaturesDigest},
		{"capabilities", now.Capabilities, then.Capabilities},
		{"selection", now.Selection, then.Selection},
		{"seed", now.Seed, then.Seed},
		{"repeat", now.Repeat, then.Repeat},
		{"time-outs", now.Timeouts, then.Timeouts},
	} {
		// As the journal has them: it knows no difference between an empty
		// list and none.
		if now, then := recorded(one.now), recorded(one.then); now != then {
			differences = append(differences, fmt.Sprintf("%s: %s, was %s", one.what, now, then))
		}
	}
	return differences
}

// recorded is a value as the journal holds it. All of them can be encoded.
func recorded(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// samePlace refuses to go on in other clusters than those where the verdicts
// so far fell. A lab's name may change: one that died with its run has to be
// made anew.
func samePlace(facts Facts, then reports.Run) error {
	if facts.Provider != then.Provider || !slices.Equal(facts.Topology.Clusters, then.Topology.Clusters) ||
		!reflect.DeepEqual(facts.Versions, then.Versions) {
		return fmt.Errorf("resume: the clusters are not the same: %s %v %v, were %s %v %v",
			facts.Provider, facts.Topology.Clusters, facts.Versions, then.Provider, then.Topology.Clusters, then.Versions)
	}
	return nil
}

// remaining are the scenarios without a verdict that stands: what was not
// decided is played again.
func remaining(runnable []Scenario, unsupported []reports.Scenario, before []reports.Scenario) ([]Scenario, []reports.Scenario) {
	decided := map[string]bool{}
	for _, one := range before {
		decided[one.ID] = one.Verdict != reports.Inconclusive
	}
	return slices.DeleteFunc(runnable, func(s Scenario) bool { return decided[s.ID] }),
		slices.DeleteFunc(unsupported, func(s reports.Scenario) bool { return decided[s.ID] })
}
