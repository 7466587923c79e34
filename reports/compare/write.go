package compare

import (
	"fmt"
	"io"

	"github.com/meshfed/meshfed/reports"
)

// Write writes the result for people, what got worse first.
func (r Result) Write(w io.Writer) error {
	table := reports.NewTable(w, "change", "what", "old", "new", "difference")
	for _, regressions := range []bool{true, false} {
		for _, v := range r.Verdicts {
			if (v.Word == Regression) == regressions {
				if err := table.Append([]string{string(v.Word), v.ID, string(v.Old), string(v.New), ""}); err != nil {
					return fmt.Errorf("write comparison: %w", err)
				}
			}
		}
		for _, f := range r.Figures {
			if (f.Word == Regression) == regressions {
				if err := table.Append(f.row()); err != nil {
					return fmt.Errorf("write comparison: %w", err)
				}
			}
		}
	}
	if len(r.Verdicts)+len(r.Figures) > 0 {
		if err := table.Render(); err != nil {
			return fmt.Errorf("write comparison: %w", err)
		}
	}
	for _, note := range r.Notes {
		if _, err := fmt.Fprintln(w, "note:", note); err != nil {
			return fmt.Errorf("write comparison: %w", err)
		}
	}
	_, err := fmt.Fprintf(w, "%d regressions, %d changes of verdicts, %d figures compared\n", r.Regressions(), len(r.Verdicts), len(r.Figures))
	return err
}

func (f FigureChange) row() []string {
	difference := "too few samples"
	if f.Word != Undecided {
		difference = fmt.Sprintf("%+.1f %% (%+.3f to %+.3f ms)", f.Percent(), f.Low, f.High)
	}
	return []string{string(f.Word), f.Name, fmt.Sprintf("%.3f ms", f.Old), fmt.Sprintf("%.3f ms", f.New), difference}
}
