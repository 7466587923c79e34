package reports

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// reasonWidth is how much of a reason the console table shows; the whole of it
// is in the report files.
const reasonWidth = 72

// reasonLines is how many lines of a reason follow the table at most.
const reasonLines = 12

// WriteTable writes the verdicts for people: one row per scenario, then the
// first reasonLines lines of the reason of each that keeps the run from green,
// then the counts and whatever kept the run from its end. What broke stands last,
// because many a CI keeps the end of a log alone.
func WriteTable(w io.Writer, r ConformanceReport) error {
	table := NewTable(w, "verdict", "scenario", "seconds", "reason")
	for _, s := range r.Scenarios {
		row := []string{string(s.Verdict), s.ID, fmt.Sprintf("%.2f", s.DurationSeconds), brief(s.Reason)}
		if err := table.Append(row); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
	}
	if err := table.Render(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	for _, s := range r.Scenarios {
		if _, err := io.WriteString(w, s.complaint()); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
	}
	_, err := fmt.Fprintln(w, r.Line())
	return err
}

// complaint is where the scenario stands and why it keeps the run from green,
// or empty if it does not.
func (s Scenario) complaint() string {
	switch s.Verdict {
	case Failed, Inconclusive, Flaky:
	default:
		return ""
	}
	lines := strings.Split(strings.TrimSpace(cdata(s.Reason)), "\n")
	if more := len(lines) - reasonLines; more > 0 {
		lines = append(lines[:reasonLines], fmt.Sprintf("… and %d more lines, in the report", more))
	}
	return fmt.Sprintf("%s: %s (%s:%d)\n    %s\n", s.Verdict, s.ID, s.File, s.Line, strings.Join(lines, "\n    "))
}

// NewTable is a table in the harness's one style: no borders, so that a row
// can be copied into a command line, and no header tricks.
func NewTable(w io.Writer, header ...string) *tablewriter.Table {
	table := tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithPadding(tw.Padding{Right: "  ", Overwrite: true}),
	)
	table.Header(header)
	return table
}

// Line is the run in one line: counts of the verdicts that occurred, the time
// it took, and what kept it from its end if anything did.
func (r ConformanceReport) Line() string {
	var parts []string
	for _, v := range Verdicts() {
		if n := r.Summary.Count(v); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "no verdicts")
	}
	line := strings.Join(parts, ", ")
	if !r.Finished.IsZero() {
		line += fmt.Sprintf(" in %s", r.Finished.Sub(r.Started).Round(10*time.Millisecond))
	}
	if fault := r.Incomplete(); fault != "" {
		line += "; " + fault
	}
	return line
}

func brief(reason string) string {
	first, _, more := strings.Cut(reason, "\n")
	runes := []rune(cdata(first))
	if len(runes) > reasonWidth {
		return string(runes[:reasonWidth-1]) + "…"
	}
	if more {
		return string(runes) + " …"
	}
	return string(runes)
}
