package reports

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

// Lines are the figures in words.
func (f Figures) Lines() []string {
	var lines []string
	for _, one := range f.All() {
		lines = append(lines, one.lines()...)
	}
	return lines
}
