// Package plan reads feature files into the flat list of scenarios that a run
// is made of: one per scenario, one per row of an outline, each with an
// identity that survives edits elsewhere in its file.
//
// It must not know how a scenario is played or judged.
package plan

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strings"

	gherkin "github.com/cucumber/gherkin/go/v26"
	messages "github.com/cucumber/messages/go/v21"
)

// Scenario is one scenario, or one row of an outline.
type Scenario struct {
	// ID is "<file>/<name>", for a row "<file>/<name of the outline>/<row>".
	ID      string
	Feature string
	// Rule is empty outside any rule.
	Rule string
	Name string
	// Tags are all that apply: the feature's, the rule's, the scenario's and
	// the examples', each with its "@".
	Tags []string
	// File is the path in the file system that was loaded.
	File string
	// Line is the scenario's keyword, or for a row the row's.
	Line int
	// Row counts the rows of an outline from 1; 0 in a plain scenario.
	Row int
	// From and To are the first and last line of the scenario's text; for
	// rows those of the whole outline.
	From, To int
	// Pickle is the scenario as it is played: backgrounds and placeholders
	// resolved.
	Pickle *messages.Pickle
}

// Where is the scenario's place as ByPaths reads it: "expose.feature:12".
func (s Scenario) Where() string { return fmt.Sprintf("%s:%d", s.File, s.Line) }

// Load reads every feature file below the root of fsys, in the order of their
// names.
func Load(fsys fs.FS) ([]Scenario, error) {
	files, err := fs.Glob(fsys, "*.feature")
	if err != nil {
		return nil, fmt.Errorf("list features: %w", err)
	}
	var all []Scenario
	seen := map[string]Scenario{}
	for _, file := range files {
		scenarios, err := loadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		for _, s := range scenarios {
			if twin, twice := seen[s.ID]; twice {
				return nil, fmt.Errorf("%s:%d: a scenario of the same name is at line %d: rename one", s.File, s.Line, twin.Line)
			}
			seen[s.ID] = s
		}
		all = append(all, scenarios...)
	}
	return all, nil
}

func loadFile(fsys fs.FS, file string) ([]Scenario, error) {
	content, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("read feature: %w", err)
	}
	newID := (&messages.Incrementing{}).NewId
	document, err := gherkin.ParseGherkinDocument(bytes.NewReader(content), newID)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if document.Feature == nil {
		return nil, fmt.Errorf("%s: no feature in it", file)
	}
	places := locate(document.Feature, bytes.Count(content, []byte("\n"))+1)
	var scenarios []Scenario
	for _, pickle := range gherkin.Pickles(*document, file, newID) {
		scenarios = append(scenarios, describe(document.Feature, places, pickle))
	}
	return scenarios, nil
}

func describe(feature *messages.Feature, places map[string]place, pickle *messages.Pickle) Scenario {
	outline := places[pickle.AstNodeIds[0]]
	s := Scenario{
		ID:      Slug(strings.TrimSuffix(path.Base(pickle.Uri), ".feature")) + "/" + Slug(outline.name),
		Feature: feature.Name,
		Rule:    outline.rule,
		Name:    pickle.Name,
		File:    pickle.Uri,
		Line:    outline.line,
		From:    outline.from,
		To:      outline.end,
		Pickle:  pickle,
	}
	if len(pickle.AstNodeIds) > 1 {
		row := places[pickle.AstNodeIds[1]]
		s.ID += fmt.Sprintf("/%d", row.row)
		s.Line = row.line
		s.Row = row.row
	}
	for _, t := range pickle.Tags {
		s.Tags = append(s.Tags, t.Name)
	}
	return s
}

// Slug is the name in lower case with everything but letters and digits
// replaced by single dashes: safe in paths, URLs and command lines.
func Slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(words, "-")
}
