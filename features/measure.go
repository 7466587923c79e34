package features

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing/fstest"
	"text/template"
)

//go:embed measure.tmpl
var measure string

// MeasureFile is the name of the feature that Measure makes.
const MeasureFile = "measure.feature"

// Measurement is what a person wants to know of two meshes under load.
type Measurement struct {
	// Rates are those at which requests through the gateways are sent by turns
	// with requests within the mesh, so many of each in a second.
	Rates []int
	// Seconds is how long each rate lasts.
	Seconds int
	// Protocol is "HTTP/1.1" or "HTTP/2", Connections "kept" or "fresh".
	Protocol, Connections string
	// Ceiling is up to where the rate is raised from the lowest to find the
	// knee; 0 does not look for it.
	Ceiling int
	// Refusals adds what refusals cost the gateway, and what a peer that is
	// denied at ten times the lowest rate does to the one that is served.
	Refusals bool
}

// Bounds of a measurement: a slip of the pen is not an attack.
const (
	maxMeasuredRate    = 5000
	maxMeasuredSeconds = 3600
	// maxSent is what a run may send at most.
	maxSent = 1_000_000
)

// longestTurn is for how many seconds one kind of load is sent before the other has
// its turn: connections are made anew for each, which must not be what is measured.
const longestTurn = 10

// TurnSeconds is how long each turn lasts of two kinds of load that are sent one
// after the other, and Turns how many each of them has.
func (m Measurement) TurnSeconds() int { return min(m.Seconds, longestTurn) }

// Turns is explained at TurnSeconds.
func (m Measurement) Turns() int { return m.Seconds / m.TurnSeconds() }

func (m Measurement) validate() error {
	if len(m.Rates) == 0 {
		return errors.New("no rates")
	}
	for _, rate := range m.Rates {
		if rate < 1 || rate > maxMeasuredRate {
			return fmt.Errorf("rate %d: want 1 to %d a second", rate, maxMeasuredRate)
		}
		if m.Seconds < 1 || m.Seconds > maxMeasuredSeconds || 2*rate*m.Seconds > maxSent {
			return fmt.Errorf("%d s at %d a second: want 1 to %d s, and at most %d requests", m.Seconds, rate, maxMeasuredSeconds, maxSent)
		}
	}
	if !slices.IsSorted(m.Rates) || len(slices.Compact(slices.Clone(m.Rates))) < len(m.Rates) {
		return fmt.Errorf("rates %v: want them to rise", m.Rates)
	}
	if m.Ceiling != 0 && (m.Ceiling <= m.Rates[0] || m.Ceiling > maxMeasuredRate) {
		return fmt.Errorf("a knee up to %d a second: want more than the lowest rate of %d, and at most %d", m.Ceiling, m.Rates[0], maxMeasuredRate)
	}
	if !slices.Contains([]string{"HTTP/1.1", "HTTP/2"}, m.Protocol) {
		return fmt.Errorf(`protocol %q: want "HTTP/1.1" or "HTTP/2"`, m.Protocol)
	}
	if !slices.Contains([]string{"kept", "fresh"}, m.Connections) {
		return fmt.Errorf(`connections %q: want "kept" or "fresh"`, m.Connections)
	}
	return nil
}

// Measure is a feature that measures what is asked for and claims no more than
// that every request ends as it should. Its report is one like any other.
func Measure(m Measurement) (fs.FS, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	t, err := template.New("measure").Funcs(template.FuncMap{
		"times": func(a, b int) int { return a * b },
	}).Parse(measure)
	if err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, m); err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	return fstest.MapFS{MeasureFile: {Data: out.Bytes(), Mode: 0o444}}, nil
}
