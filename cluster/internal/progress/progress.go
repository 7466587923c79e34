// Package progress tells a person what a long preparation is doing: which
// step, for how long, how far, and about how long it should take.
//
// It knows nothing of the steps. On a terminal it is one live line; elsewhere
// (a pipe, a CI log) it is plain lines, few enough to read later.
package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// Step is a piece of work as it is told to a person.
type Step struct {
	// Title is what is done, in the present tense ("building etcd").
	Title string
	// Estimate is about how long it should take; zero means not known.
	Estimate time.Duration
}

// Reporter is told of steps. Implementations are safe for concurrent use.
type Reporter interface {
	// Begin says that a step has begun; End of the returned task must be called.
	Begin(Step) Task
	// Note says one thing that is not a step.
	Note(text string)
}

// Task is a step that is under way.
type Task interface {
	// Advance says that done of total units are done. A total of zero means
	// that nobody knows.
	Advance(done, total int)
	// End says that the step is over; err is nil if it went well.
	End(err error)
}

// New is the reporter fit for where f leads: live on a terminal, plain in a
// pipe and wherever CI is set.
func New(f *os.File) Reporter {
	if os.Getenv("CI") == "" && term.IsTerminal(int(f.Fd())) {
		return Live(f)
	}
	return Plain(f, plainEvery)
}

// Silent reports nothing.
func Silent() Reporter { return silent{} }

type silent struct{}

func (silent) Begin(Step) Task  { return silent{} }
func (silent) Note(string)      {}
func (silent) Advance(int, int) {}
func (silent) End(error)        {}

// about is an estimate as honest as it can be: no seconds where minutes are
// meant.
func about(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < 90*time.Second:
		return fmt.Sprintf("about %d s", max(1, int(d.Round(5*time.Second).Seconds())))
	default:
		return fmt.Sprintf("about %d min", int(d.Round(time.Minute).Minutes()))
	}
}

// withEstimate is the step's first line.
func withEstimate(s Step) string {
	if a := about(s.Estimate); a != "" {
		return s.Title + ", " + a
	}
	return s.Title
}

// outcome is the step's last line.
func outcome(s Step, took time.Duration, err error) string {
	if err != nil {
		return fmt.Sprintf("%s: failed after %s", s.Title, round(took))
	}
	return fmt.Sprintf("%s: done in %s", s.Title, round(took))
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// writeLine writes one line; a report that cannot be written must not stop the
// work that is reported.
func writeLine(w io.Writer, text string) { _, _ = fmt.Fprintln(w, text) }
