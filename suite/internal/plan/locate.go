package plan

import messages "github.com/cucumber/messages/go/v21"

// place is where a scenario or a row stands in its file.
type place struct {
	name, rule string
	// from and end are its first line, tags included, and its last.
	line, from, end int
	// row counts the rows of an outline over all its examples, from 1.
	row int
}

// locate finds the places of a feature's scenarios and rows by their ids:
// pickles know neither their line nor their rule.
func locate(feature *messages.Feature, lastLine int) map[string]place {
	places := map[string]place{}
	var order []*messages.Scenario
	add := func(rule string, s *messages.Scenario) {
		if s == nil {
			return
		}
		order = append(order, s)
		places[s.Id] = place{name: s.Name, rule: rule, line: int(s.Location.Line), from: firstLine(s)}
		locateRows(places, s)
	}
	for _, child := range feature.Children {
		add("", child.Scenario)
		if child.Rule == nil {
			continue
		}
		for _, inner := range child.Rule.Children {
			add(child.Rule.Name, inner.Scenario)
		}
	}
	for i, s := range order {
		p := places[s.Id]
		p.end = lastLine
		if i+1 < len(order) {
			p.end = firstLine(order[i+1]) - 1
		}
		places[s.Id] = p
	}
	return places
}

// firstLine of a scenario is that of its first tag.
func firstLine(s *messages.Scenario) int {
	if len(s.Tags) > 0 {
		return int(s.Tags[0].Location.Line)
	}
	return int(s.Location.Line)
}

func locateRows(places map[string]place, s *messages.Scenario) {
	row := 0
	for _, examples := range s.Examples {
		for _, r := range examples.TableBody {
			row++
			places[r.Id] = place{line: int(r.Location.Line), row: row}
		}
	}
}
