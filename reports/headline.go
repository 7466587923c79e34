package reports

import "fmt"

// Headline is the verdict on the whole run in a few words.
func (r ConformanceReport) Headline() string {
	switch r.ExitCode() {
	case ExitNonConformant:
		return "NOT CONFORMANT"
	case ExitInterrupted:
		return "INTERRUPTED"
	case ExitInconclusive:
		return "INCONCLUSIVE"
	}
	if r.Conformant() {
		return "CONFORMANT"
	}
	return "PARTIAL"
}

// Conformant says that both profiles that were tried, the core among them, are
// a success.
func (r ConformanceReport) Conformant() bool {
	for _, p := range r.Profiles {
		if p.Result != Success {
			return false
		}
	}
	return len(r.Profiles) > 0 && r.Profiles[0].Name == CoreProfile && r.ExitCode() == ExitGreen
}

// Total is the number of all verdicts.
func (s Summary) Total() int {
	total := 0
	for _, v := range Verdicts() {
		total += s.Count(v)
	}
	return total
}

// Lines are the figures in words, one line each.
func (f Figures) Lines() []string {
	var lines []string
	for _, one := range f.Splits {
		for _, s := range one.Shares {
			lines = append(lines, fmt.Sprintf("split of %s: %s got %d of %d (%.2f %%; %.2f %% to %.2f %% at %.5g %% confidence), wanted %.2f %%",
				one.What, s.Backend, s.Count, one.N, 100*s.Observed(one.N), 100*s.Low, 100*s.High, 100*one.Confidence, 100*s.Expected))
		}
	}
	for _, one := range f.TruthTables {
		leaks, wrong := one.Count()
		lines = append(lines, fmt.Sprintf("truth table of %s: %d cells, %d wrong, %d leaks", one.Name, len(one.Cells), wrong, leaks))
	}
	for _, one := range f.Revocations {
		lines = append(lines, fmt.Sprintf("revocation by %s, %s connections: last accepted after p50 %.0f ms, p99 %.0f ms, max %.0f ms (n %d, bound %.0f ms)",
			one.Way, one.Connection, one.P50Millis, one.P99Millis, one.MaxMillis, one.N, one.BoundMillis))
	}
	for _, one := range f.Loads {
		lines = append(lines, one.lines()...)
	}
	for _, one := range f.Shifts {
		lines = append(lines, one.line())
	}
	for _, one := range f.Hops {
		lines = append(lines, one.lines()...)
	}
	for _, one := range f.Costs {
		lines = append(lines, one.line())
	}
	for _, one := range f.Knees {
		lines = append(lines, one.line())
	}
	for _, one := range f.Faults {
		lines = append(lines, one.line())
	}
	return lines
}

func (f LoadFigure) lines() []string {
	if f.Invalid() {
		return []string{f.Holds().Error()}
	}
	var lines []string
	for _, c := range f.Classes {
		line := fmt.Sprintf("load on %s at %.0f/s: %s %s %d times", f.What, f.RatePerSecond, c.Identity, c.Outcome, c.Count)
		for _, q := range c.Quantiles {
			line += fmt.Sprintf(", p%g %.2f ms", 100*q.Q, q.Millis)
		}
		lines = append(lines, line)
	}
	return lines
}
