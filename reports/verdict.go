package reports

import (
	"errors"
	"fmt"
	"slices"
)

// Verdict is what a run says about one scenario. The vocabulary is closed:
// a verdict outside it can neither be journaled nor read back.
type Verdict string

const (
	// Passed: every step held and the clean-up left nothing behind.
	Passed Verdict = "passed"
	// Failed: the implementation does not do what the scenario claims. An
	// undefined, pending or ambiguous step is a failure too: a claim that
	// nobody checks must not be green.
	Failed Verdict = "failed"
	// Skipped: a step found at run time that the scenario does not apply
	// here. The reason is the step's own.
	Skipped Verdict = "skipped"
	// NotSupported: the scenario needs a capability the implementation does
	// not declare, so it was not run; or the implementation declares it and
	// says in the scenario that this is beyond its repertoire, which keeps
	// its profile from success.
	NotSupported Verdict = "notSupported"
	// Inconclusive: the environment, not the implementation, ended the
	// scenario. Never to be read as non-conformant.
	Inconclusive Verdict = "inconclusive"
	// KnownGap: it fails, and the scenario says which published issue makes
	// it fail. Not green, but no news either.
	KnownGap Verdict = "knownGap"
	// Flaky: played several times, it both passed and did not. Never green:
	// a claim that holds now and then is not one to build on.
	Flaky Verdict = "flaky"
)

// ErrInconclusive marks an error as one of the environment or of the harness
// itself: it says nothing of the implementation.
var ErrInconclusive = errors.New("inconclusive")

// Weighed joins errors so that what is proved outweighs what could not be found
// out: if some are no ErrInconclusive, the others are left out. One request that
// timed out must not hide a leak. Nil if there is none.
func Weighed(errs ...error) error {
	proved := slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil || errors.Is(err, ErrInconclusive) })
	if len(proved) > 0 {
		return errors.Join(proved...)
	}
	return errors.Join(errs...)
}

// ErrNotSupported marks an error by which the implementation says that it does
// not do what it was asked for.
var ErrNotSupported = errors.New("not supported")

// Verdicts is the whole vocabulary in the order summaries are printed.
func Verdicts() []Verdict {
	return []Verdict{Passed, Failed, Skipped, NotSupported, Inconclusive, KnownGap, Flaky}
}

// NeedsReason says whether the verdict is worthless without a reason.
func (v Verdict) NeedsReason() bool { return v != Passed }

func (v Verdict) valid() bool {
	for _, known := range Verdicts() {
		if v == known {
			return true
		}
	}
	return false
}

// UnmarshalText refuses words outside the vocabulary, so that a damaged
// journal is an error and never a silent "not failed".
func (v *Verdict) UnmarshalText(text []byte) error {
	if read := Verdict(text); read.valid() {
		*v = read
		return nil
	}
	return fmt.Errorf("verdict %q: want one of %v", text, Verdicts())
}
