package play

import (
	"fmt"
	"strings"

	messages "github.com/cucumber/messages/go/v21"
)

// Render writes a pickle as a feature file with one scenario. Parsing the
// result gives the same steps and arguments again.
func Render(pickle *messages.Pickle) []byte {
	var b strings.Builder
	// Names are not rendered: they may hold line breaks' worth of surprises
	// and nothing is selected by them any more.
	b.WriteString("Feature: one\n\n  Scenario: one\n")
	for _, step := range pickle.Steps {
		fmt.Fprintf(&b, "    %s %s\n", keyword(step.Type), step.Text)
		if step.Argument == nil {
			continue
		}
		if doc := step.Argument.DocString; doc != nil {
			renderDocString(&b, doc)
		}
		if table := step.Argument.DataTable; table != nil {
			renderTable(&b, table)
		}
	}
	return []byte(b.String())
}

func keyword(t messages.PickleStepType) string {
	switch t {
	case messages.PickleStepType_CONTEXT:
		return "Given"
	case messages.PickleStepType_ACTION:
		return "When"
	case messages.PickleStepType_OUTCOME:
		return "Then"
	}
	return "*"
}

// renderDocString writes the content without indentation, since the parser
// takes away as much as the opening quotes have.
func renderDocString(b *strings.Builder, doc *messages.PickleDocString) {
	content := strings.ReplaceAll(doc.Content, `"""`, `\"\"\"`)
	fmt.Fprintf(b, "\"\"\"%s\n%s\n\"\"\"\n", doc.MediaType, content)
}

func renderTable(b *strings.Builder, table *messages.PickleTable) {
	escape := strings.NewReplacer(`\`, `\\`, "|", `\|`, "\n", `\n`)
	for _, row := range table.Rows {
		for _, cell := range row.Cells {
			b.WriteString("| " + escape.Replace(cell.Value) + " ")
		}
		b.WriteString("|\n")
	}
}
