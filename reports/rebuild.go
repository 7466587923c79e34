package reports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Rebuild makes the report out of the journal at path. A last line without
// its newline is what a crash leaves behind and is dropped; any other damage
// is an error that names the line.
func Rebuild(path string) (ConformanceReport, error) {
	r, _, err := rebuild(path)
	return r, err
}

// rebuild also says how many bytes of the journal are whole lines.
func rebuild(path string) (ConformanceReport, int64, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return ConformanceReport{}, 0, fmt.Errorf("rebuild report: %w", err)
	}
	whole := content[:bytes.LastIndexByte(content, '\n')+1]
	var book book
	lines := bufio.NewScanner(bytes.NewReader(whole))
	lines.Buffer(nil, len(whole)+1)
	for n := 1; lines.Scan(); n++ {
		if err := book.read(lines.Bytes()); err != nil {
			return ConformanceReport{}, 0, fmt.Errorf("rebuild report: %s line %d: %w", path, n, err)
		}
	}
	if book.run == nil {
		return ConformanceReport{}, 0, fmt.Errorf("rebuild report: %s: no record of the run", path)
	}
	return Assemble(*book.run, book.scenarios, book.end), int64(len(whole)), nil
}

// book is a journal while it is read.
type book struct {
	run       *Run
	scenarios []Scenario
	end       End
}

func (b *book) read(line []byte) error {
	var r record
	// A field that nobody knows is one that nobody judges.
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return err
	}
	if decoder.InputOffset() != int64(len(bytes.TrimRight(line, " \t\r"))) {
		return errors.New("something follows the record")
	}
	if r.fields() != 1 {
		return errors.New("want exactly one of run, scenario, resumed and end")
	}
	switch {
	case r.Run != nil && b.run == nil:
		b.run = r.Run
	case r.Scenario != nil && b.run != nil:
		return b.add(*r.Scenario)
	case r.Resumed != nil && b.run != nil:
		b.end = End{Resumed: append(b.end.Resumed, *r.Resumed)}
	case r.End != nil && b.run != nil:
		resumed := b.end.Resumed
		b.end = *r.End
		b.end.Resumed = resumed
	default:
		return errors.New("want one record each of the run (first), scenarios, the end")
	}
	return nil
}

// add takes a verdict. A second one of the same scenario is accepted only in
// a run that went on, and only where the first decided nothing: nobody may
// play a scenario until its verdict pleases.
func (b *book) add(s Scenario) error {
	if err := s.Validate(); err != nil {
		return err
	}
	earlier := slices.IndexFunc(b.scenarios, func(one Scenario) bool { return one.ID == s.ID })
	if earlier >= 0 {
		if b.scenarios[earlier].Verdict != Inconclusive || len(b.end.Resumed) == 0 {
			return fmt.Errorf("scenario %s: a second verdict: it was %s", s.ID, b.scenarios[earlier].Verdict)
		}
		b.scenarios = slices.Delete(b.scenarios, earlier, earlier+1)
	}
	b.scenarios = append(b.scenarios, s)
	return nil
}
