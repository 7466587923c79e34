package reports

// Exit codes of the conformance command. They are part of its interface.
const (
	// ExitGreen: every scenario that ran passed or is a known gap.
	ExitGreen = 0
	// ExitNonConformant: at least one scenario failed, or is flaky.
	ExitNonConformant = 1
	// ExitUsage: bad input, or a selection with nothing to run.
	ExitUsage = 2
	// ExitInconclusive: the environment died, nothing was decided, or verdicts
	// are missing.
	ExitInconclusive = 3
	// ExitInterrupted: a signal ended the run (128 + SIGINT).
	ExitInterrupted = 130
)

// ExitCode of a run. A proven failure outweighs an environment that died
// elsewhere in the run; green needs at least one scenario that passed and a
// run that came to its end with a verdict for all that was selected.
func (r ConformanceReport) ExitCode() int {
	switch {
	case r.Interrupted:
		return ExitInterrupted
	case r.Summary.Failed > 0, r.Summary.Flaky > 0:
		return ExitNonConformant
	case r.Incomplete() != "", r.Summary.Inconclusive > 0, r.Summary.Passed == 0:
		return ExitInconclusive
	}
	return ExitGreen
}
