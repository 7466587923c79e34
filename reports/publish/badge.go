package publish

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/meshfed/meshfed/reports"
)

//go:embed badge.svg.tmpl
var badgeTemplate string

// badge is what the picture says.
type badge struct {
	Label, Message, Colour string
	Left, Right            int
}

// glyph is the width of a character at the badge's size, in pixels.
const glyph = 7

// WriteBadge writes a picture that tells the result of each profile. It is
// green only if all of them are a success.
func WriteBadge(w io.Writer, r reports.ConformanceReport) error {
	b := badge{Label: "mesh federation", Colour: "#2e7d32"}
	for i, p := range r.Profiles {
		if i > 0 {
			b.Message += " · "
		}
		b.Message += fmt.Sprintf("%s %s %d/%d", p.Name, p.Result, p.Summary.Passed, p.Summary.Total())
	}
	switch code := r.ExitCode(); {
	case code == reports.ExitNonConformant:
		b.Colour = "#c62828"
	case len(r.Profiles) == 0:
		b.Message, b.Colour = "no verdict", "#616161"
	case code != reports.ExitGreen || !r.Conformant():
		b.Colour = "#b26a00"
	}
	b.Left, b.Right = glyph*len([]rune(b.Label))+14, glyph*len([]rune(b.Message))+14
	t, err := template.New("badge").Parse(badgeTemplate)
	if err == nil {
		err = t.Execute(w, b)
	}
	if err != nil {
		return fmt.Errorf("write badge: %w", err)
	}
	return nil
}

// Width of the whole picture.
func (b badge) Width() int { return b.Left + b.Right }

// MiddleLeft and MiddleRight are where the texts are centred.
func (b badge) MiddleLeft() int { return b.Left / 2 }

// MiddleRight is where the message is centred.
func (b badge) MiddleRight() int { return b.Left + b.Right/2 }
