package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Journal is the append-only record of a run: one JSON line for the run, one
// per verdict, one for the end. Each line is on disk before the call returns,
// so that a crash, a full disk later on or kill -9 loses no verdict that fell.
// The file is locked for as long as it is open, where it can be: two runs that
// append to one journal lose the verdicts of both. It is not safe for concurrent use.
type Journal struct {
	file *os.File
	// torn says that a line may have been written in part.
	torn bool
}

// record is one line; exactly one field is set.
type record struct {
	Run      *Run       `json:"run,omitempty"`
	Scenario *Scenario  `json:"scenario,omitempty"`
	Resumed  *time.Time `json:"resumed,omitempty"`
	End      *End       `json:"end,omitempty"`
}

// fields is how many are set.
func (r record) fields() int {
	n := 0
	for _, set := range []bool{r.Run != nil, r.Scenario != nil, r.Resumed != nil, r.End != nil} {
		if set {
			n++
		}
	}
	return n
}

// CreateJournal starts a new journal at path with the run's own record. It
// refuses a file that exists: two runs must never share one.
func CreateJournal(path string, run Run) (*Journal, error) {
	file, err := openAlone(path, os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	j := &Journal{file: file}
	if err := j.append(record{Run: &run}); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

// ContinueJournal opens the journal of a run that did not end, or was
// interrupted, and records that it goes on. What a kill has torn is cut off
// first. It returns what was recorded so far. A run that is still going is
// refused, and its journal left as it is.
func ContinueJournal(path string, at time.Time) (*Journal, ConformanceReport, error) {
	file, err := openAlone(path, 0)
	if err != nil {
		return nil, ConformanceReport{}, fmt.Errorf("resume: %w", err)
	}
	j := &Journal{file: file}
	before, err := j.resume(path, at)
	if err != nil {
		return nil, before, errors.Join(fmt.Errorf("resume: %w", err), file.Close())
	}
	return j, before, nil
}

func (j *Journal) resume(path string, at time.Time) (ConformanceReport, error) {
	before, whole, err := rebuild(path)
	if err != nil {
		return before, err
	}
	if !before.Finished.IsZero() && !before.Interrupted && before.SetupError == "" {
		return before, fmt.Errorf("run %s has come to its end: start a new one", before.ID)
	}
	if err := j.file.Truncate(whole); err != nil {
		return before, err
	}
	return before, j.append(record{Resumed: &at})
}

// ErrGoing means that somebody writes a run, or seals it.
var ErrGoing = errors.New("its run is still going")

// HoldJournal keeps everybody from going on with a run, until release. A run that
// is still going is refused by an error that wraps ErrGoing.
func HoldJournal(path string) (release func() error, err error) {
	file, err := openAlone(path, 0)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return file.Close, nil
}

// openAlone opens a journal and locks it, see lock. The kernel gives the lock back when
// the process ends, however that ends.
func openAlone(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, flags|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	if err := lock(file, unix.Flock); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// lock fails if somebody has the lock. Where the file system has none (NFS without
// lockd, some FUSE) it does nothing: there a run goes on without, rather than not
// at all.
func lock(file *os.File, flock func(fd, how int) error) error {
	err := flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return fmt.Errorf("%s: %w: wait for its end", file.Name(), ErrGoing)
	case errors.Is(err, unix.ENOLCK), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP):
		return nil
	case err != nil:
		return fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return nil
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
	// Behind half a line an end would be a line that nobody can read, and a run
	// without all its verdicts has not come to its end.
	if j.torn {
		return fmt.Errorf("journal: an earlier line of %s could not be written: mend that, and go on with conformance run --resume", j.file.Name())
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.torn = true
	// One write for line and newline: a reader never sees half a record
	// followed by another.
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("journal: sync: %w", err)
	}
	j.torn = false
	return nil
}
