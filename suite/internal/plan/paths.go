package plan

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// ByPaths keeps the scenarios named by PATH[:LINE] arguments, in the order of
// the features; without arguments it keeps all. A path may have any folders in
// front of the feature file's name, so that a shell's completion works. A line
// selects the scenario whose text it is in, or one row of an outline.
func ByPaths(all []Scenario, paths []string) ([]Scenario, error) {
	if len(paths) == 0 {
		return all, nil
	}
	chosen := map[string]bool{}
	for _, argument := range paths {
		found, err := byPath(all, argument)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			chosen[s.ID] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(s Scenario) bool { return !chosen[s.ID] }), nil
}

func byPath(all []Scenario, argument string) ([]Scenario, error) {
	name, line, err := split(argument)
	if err != nil {
		return nil, err
	}
	var inFile []Scenario
	for _, s := range all {
		if name == s.File || strings.HasSuffix(name, "/"+s.File) {
			inFile = append(inFile, s)
		}
	}
	if len(inFile) == 0 {
		return nil, fmt.Errorf("%s: no such feature; there are %s", argument, strings.Join(files(all), ", "))
	}
	if line == 0 {
		return inFile, nil
	}
	return atLine(inFile, argument, line)
}

func split(argument string) (name string, line int, err error) {
	name, number, hasLine := strings.Cut(argument, ":")
	name = path.Clean(name)
	if !hasLine {
		return name, 0, nil
	}
	line, err = strconv.Atoi(number)
	if err != nil || line < 1 {
		return "", 0, fmt.Errorf("%s: line %q: want a number from 1", argument, number)
	}
	return name, line, nil
}

func atLine(inFile []Scenario, argument string, line int) ([]Scenario, error) {
	var around []Scenario
	for _, s := range inFile {
		if s.Row > 0 && s.Line == line {
			return []Scenario{s}, nil
		}
		if s.From <= line && line <= s.To {
			around = append(around, s)
		}
	}
	if len(around) == 0 {
		return nil, fmt.Errorf("%s: no scenario there; they start at lines %s", argument, lines(inFile))
	}
	return around, nil
}

func files(all []Scenario) []string {
	var names []string
	for _, s := range all {
		if !slices.Contains(names, s.File) {
			names = append(names, s.File)
		}
	}
	return names
}

func lines(scenarios []Scenario) string {
	var starts []string
	for _, s := range scenarios {
		if start := strconv.Itoa(s.From); !slices.Contains(starts, start) {
			starts = append(starts, start)
		}
	}
	return strings.Join(starts, ", ")
}
