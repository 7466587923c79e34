package suite

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/suite/internal/plan"
	"github.com/meshfed/meshfed/suite/internal/tagexpr"
)

// Scenario is one scenario, or one row of an outline, that can be run.
type Scenario = plan.Scenario

// Selection says which scenarios are wanted. The zero value selects all.
type Selection struct {
	// Tags is a Cucumber tag expression.
	Tags string
	// Paths are PATH or PATH:LINE of feature files.
	Paths []string
}

// ErrUsage marks errors that the caller can mend by asking for something else.
var ErrUsage = errors.New("nothing to run")

// Select returns the selected scenarios in the order of the features. A
// selection of nothing is an error that says what there is: a run without
// scenarios must never be taken for a green one.
func Select(features fs.FS, s Selection) ([]Scenario, error) {
	expression, err := tagexpr.Parse(s.Tags)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	all, err := plan.Load(features)
	if err != nil {
		return nil, err
	}
	if err := knownTags(all, expression); err != nil {
		return nil, err
	}
	here, err := plan.ByPaths(all, s.Paths)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	selected := slices.DeleteFunc(slices.Clone(here), func(sc Scenario) bool { return !expression.Matches(sc.Tags) })
	if len(selected) == 0 {
		return nil, empty(s, len(here), all)
	}
	return selected, nil
}

// knownTags refuses a tag that no scenario has. In "not @slwo" it would select
// too much, elsewhere too little, and in both cases silently.
func knownTags(all []Scenario, expression tagexpr.Expression) error {
	known := tagsOf(all)
	for _, tag := range expression.Tags() {
		if !slices.Contains(known, tag) {
			return fmt.Errorf("%w: no scenario has the tag %s; there are %s", ErrUsage, tag, strings.Join(known, " "))
		}
	}
	return nil
}

func empty(s Selection, inPaths int, all []Scenario) error {
	if len(all) == 0 {
		return fmt.Errorf("%w: there are no features", ErrUsage)
	}
	where := "in all features"
	if len(s.Paths) > 0 {
		where = "in " + strings.Join(s.Paths, " ")
	}
	return fmt.Errorf("%w: --tags %q selects none of the %d scenarios %s; tags there are: %s",
		ErrUsage, s.Tags, inPaths, where, strings.Join(tagsOf(all), " "))
}

func tagsOf(all []Scenario) []string {
	var tags []string
	for _, s := range all {
		tags = append(tags, s.Tags...)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}
