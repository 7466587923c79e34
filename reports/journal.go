package reports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// Journal is the append-only record of a run: one JSON line for the run, one
// per verdict, one for the end. Each line is on disk before the call returns,
// so that a crash, a full disk later on or kill -9 loses no verdict that fell.
// It is not safe for concurrent use.
type Journal struct {
	file *os.File
}

// record is one line; exactly one field is set.
type record struct {
	Run      *Run      `json:"run,omitempty"`
	Scenario *Scenario `json:"scenario,omitempty"`
	End      *End      `json:"end,omitempty"`
}

// CreateJournal starts a new journal at path with the run's own record. It
// refuses a file that exists: two runs must never share one.
func CreateJournal(path string, run Run) (*Journal, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	j := &Journal{file: file}
	if err := j.append(record{Run: &run}); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

// Verdict records a scenario's verdict. An invalid one is refused: better a
// loud stop than a report with a hole.
func (j *Journal) Verdict(s Scenario) error {
	if err := s.Validate(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return j.append(record{Scenario: &s})
}

// Close records the end of the run and closes the file.
func (j *Journal) Close(end End) error {
	return errors.Join(j.append(record{End: &end}), j.file.Close())
}

func (j *Journal) append(r record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	// One write for line and newline: a reader never sees half a record
	// followed by another.
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("journal: sync: %w", err)
	}
	return nil
}

// Rebuild makes the report out of the journal at path. A last line without
// its newline is what a crash leaves behind and is dropped; any other damage
// is an error that names the line.
func Rebuild(path string) (ConformanceReport, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return ConformanceReport{}, fmt.Errorf("rebuild report: %w", err)
	}
	whole := content[:bytes.LastIndexByte(content, '\n')+1]
	var book book
	lines := bufio.NewScanner(bytes.NewReader(whole))
	lines.Buffer(nil, len(whole)+1)
	for n := 1; lines.Scan(); n++ {
		if err := book.read(lines.Bytes()); err != nil {
			return ConformanceReport{}, fmt.Errorf("rebuild report: %s line %d: %w", path, n, err)
		}
	}
	if book.run == nil {
		return ConformanceReport{}, fmt.Errorf("rebuild report: %s: no record of the run", path)
	}
	return Assemble(*book.run, book.scenarios, book.end), nil
}

// book is a journal while it is read.
type book struct {
	run       *Run
	scenarios []Scenario
	end       End
}

func (b *book) read(line []byte) error {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return err
	}
	switch {
	case r.Run != nil && b.run == nil:
		b.run = r.Run
	case r.Scenario != nil && b.run != nil:
		if err := r.Scenario.Validate(); err != nil {
			return err
		}
		b.scenarios = append(b.scenarios, *r.Scenario)
	case r.End != nil && b.run != nil:
		b.end = *r.End
	default:
		return errors.New("want one record each of the run (first), scenarios, the end")
	}
	return nil
}
