// Package alarms says whether a suite cries wolf: the same scenarios on the same
// meshes, in another order each time, perhaps on a busy machine, must come to
// the same verdicts.
//
// It must not know how a run is made.
package alarms

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meshfed/meshfed/reports"
)

// Order is one run of the suite in an order of its own.
type Order struct {
	Seed int64 `json:"seed"`
	// Busy says that every core had something else to do all the time.
	Busy bool `json:"busy"`
	// CoresBusy is the share of the cores' time in which they had something to do,
	// be it of this run or not, from 0 to 1; 0 if it is not known.
	CoresBusy float64 `json:"coresBusy,omitempty"`
	Run       string  `json:"run"`
	// Suite is the version of the harness that played it. Verdicts of two
	// versions say nothing of each other.
	Suite    string                     `json:"suite"`
	Started  time.Time                  `json:"started"`
	Seconds  float64                    `json:"seconds"`
	Verdicts map[string]reports.Verdict `json:"verdicts"`
	// Reasons of those that are no pass.
	Reasons map[string]string `json:"reasons,omitempty"`
}

// Of takes what matters out of a report.
func Of(r reports.ConformanceReport, busy bool) Order {
	o := Order{
		Seed: r.Seed, Busy: busy, Run: r.ID, Suite: r.SuiteVersion, Started: r.Started, Seconds: r.Finished.Sub(r.Started).Seconds(),
		Verdicts: map[string]reports.Verdict{}, Reasons: map[string]string{},
	}
	for _, s := range r.Scenarios {
		o.Verdicts[s.ID] = s.Verdict
		if s.Verdict != reports.Passed {
			o.Reasons[s.ID] = s.Reason
		}
	}
	return o
}

// OfOneSuite refuses orders of more than one version, or of another than this.
func OfOneSuite(orders []Order, version string) error {
	for _, o := range orders {
		if o.Suite != version {
			return fmt.Errorf("order %d is of conformance %q and this is %s: their verdicts cannot be compared", o.Seed, o.Suite, version)
		}
	}
	return nil
}

// Alarm is a scenario that did not come to the same verdict each time.
type Alarm struct {
	Scenario string
	// Count is how often each verdict fell; the empty verdict is "not played".
	Count map[reports.Verdict]int
	// Reasons are those of the verdicts that are no pass, by run.
	Reasons map[string]string
}

// Alarms are the scenarios whose verdicts differ among the orders.
func Alarms(orders []Order) []Alarm {
	all := map[string]bool{}
	for _, o := range orders {
		for id := range o.Verdicts {
			all[id] = true
		}
	}
	var found []Alarm
	for _, id := range slices.Sorted(maps.Keys(all)) {
		a := Alarm{Scenario: id, Count: map[reports.Verdict]int{}, Reasons: map[string]string{}}
		for _, o := range orders {
			a.Count[o.Verdicts[id]]++
			if reason := o.Reasons[id]; reason != "" {
				a.Reasons[o.Run] = reason
			}
		}
		if len(a.Count) > 1 {
			found = append(found, a)
		}
	}
	return found
}

// full is the share of the cores' time from which on a machine was busy.
const full = 0.95

// Line is the summary.
func Line(orders []Order) string {
	verdicts, burners, busy := 0, 0, 0
	for _, o := range orders {
		verdicts += len(o.Verdicts)
		if o.Busy {
			burners++
		}
		if o.CoresBusy >= full {
			busy++
		}
	}
	return fmt.Sprintf("%d orders, %d of them beside something that kept all cores busy, %d with the cores busy for %.0f %% of the time or more, %d verdicts: %d scenarios did not come to the same verdict each time",
		len(orders), burners, busy, 100*full, verdicts, len(Alarms(orders)))
}

// WriteMarkdown writes what was found for a person.
func WriteMarkdown(w io.Writer, orders []Order) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# False alarms\n\n%s.\n\nMade by `make false-alarms`: the same scenarios on a running lab, in another order each time.\n", Line(orders))
	if len(orders) > 0 {
		fmt.Fprintf(&b, "All of conformance %s.\n", orders[0].Suite)
	}
	b.WriteString("\n| order (seed) | cores kept busy | cores busy | took | passed | not passed |\n|---|---|---|---|---|---|\n")
	for _, o := range orders {
		passed := 0
		for _, v := range o.Verdicts {
			if v == reports.Passed {
				passed++
			}
		}
		fmt.Fprintf(&b, "| %d | %t | %.1f %% | %.0f s | %d | %d |\n", o.Seed, o.Busy, 100*o.CoresBusy, o.Seconds, passed, len(o.Verdicts)-passed)
	}
	if found := Alarms(orders); len(found) > 0 {
		b.WriteString("\n| scenario | verdicts | what was said |\n|---|---|---|\n")
		for _, a := range found {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", a.Scenario, counts(a.Count), said(a.Reasons))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func counts(count map[reports.Verdict]int) string {
	var parts []string
	for _, v := range slices.Sorted(maps.Keys(count)) {
		name := string(v)
		if name == "" {
			name = "not played"
		}
		parts = append(parts, fmt.Sprintf("%d %s", count[v], name))
	}
	return strings.Join(parts, ", ")
}

// saidLength keeps a row of the table readable.
const saidLength = 240

func said(reasons map[string]string) string {
	var parts []string
	for _, run := range slices.Sorted(maps.Keys(reasons)) {
		text := []rune(strings.ReplaceAll(strings.Join(strings.Fields(reasons[run]), " "), "|", `\|`))
		parts = append(parts, string(text[:min(len(text), saidLength)]))
	}
	return strings.Join(slices.Compact(parts), "; ")
}
