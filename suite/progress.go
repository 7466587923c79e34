package suite

import (
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/meshfed/meshfed/reports"
)

// Progress tells a person, or a CI log, how the run is going: a line per
// verdict, and on a terminal the step that is running. A nil Progress is
// silent. Faults of the writer are ignored: the journal is the record.
type Progress struct {
	out io.Writer
	// live is set if out is a terminal whose last line may be rewritten.
	live bool
	// prefix of the current step's line.
	prefix string
	// told is when something long was last told of.
	told time.Time
}

// NewProgress writes to out; live says that it is a terminal.
func NewProgress(out io.Writer, live bool) *Progress { return &Progress{out: out, live: live} }

// eraseLine brings the cursor to the first column of an empty line.
const eraseLine = "\r\x1b[2K"

// stepWidth keeps the live line from wrapping, which erasing cannot undo.
const stepWidth = 100

func (p *Progress) start(n, total int, id string) {
	if p == nil || !p.live {
		return
	}
	p.prefix = fmt.Sprintf("[%*d/%d] %s", digits(total), n, total, id)
	p.step("")
}

func (p *Progress) step(text string) {
	if p == nil || !p.live {
		return
	}
	line := []rune(p.prefix + "  " + text)
	fmt.Fprint(p.out, eraseLine+string(line[:min(len(line), stepWidth)]))
}

// quiet is how often a log that is no terminal hears of something long.
const quiet = 10 * time.Second

// Tell says how something long within a step is going.
func (p *Progress) Tell(text string) {
	switch {
	case p == nil:
	case p.live:
		p.step(text)
	case time.Since(p.told) >= quiet:
		p.told = time.Now()
		fmt.Fprintln(p.out, "   ", text)
	}
}

func (p *Progress) verdict(n, total int, s reports.Scenario) {
	if p == nil {
		return
	}
	if p.live {
		fmt.Fprint(p.out, eraseLine)
	}
	fmt.Fprintf(p.out, "[%*d/%d] %-12s %s (%.2fs)\n", digits(total), n, total, s.Verdict, s.ID, s.DurationSeconds)
	if s.Reason != "" {
		fmt.Fprintf(p.out, "    %s\n", strings.ReplaceAll(s.Reason, "\n", "\n    "))
	}
	if s.Verdict == reports.Failed {
		fmt.Fprintf(p.out, "    again: conformance run %s:%d\n", s.File, s.Line)
	}
	if paths := s.EvidencePaths(); len(paths) > 0 && s.Verdict != reports.Passed {
		fmt.Fprintf(p.out, "    evidence: %s (%d files)\n", path.Dir(paths[0]), len(paths))
	}
}

func digits(n int) int { return len(fmt.Sprint(n)) }
