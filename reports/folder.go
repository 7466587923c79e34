package reports

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Names of the files in a run's folder.
const (
	JournalFile = "journal.ndjson"
	YAMLFile    = "report.yaml"
	JSONFile    = "report.json"
	JUnitFile   = "junit.xml"
	EvidenceDir = "evidence"
	latestLink  = "latest"
)

// Folder is where a run leaves what it has to say: <out>/<run id>.
type Folder struct {
	// Path of the folder, absolute or relative as the output folder was.
	Path string
}

// CreateFolder makes <out>/<id> and points <out>/latest at it. The folder must
// not exist yet.
func CreateFolder(out, id string) (Folder, error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return Folder{}, fmt.Errorf("report folder: %w", err)
	}
	path := filepath.Join(out, id)
	if err := os.Mkdir(path, 0o755); err != nil {
		return Folder{}, fmt.Errorf("report folder: %w", err)
	}
	if err := relink(filepath.Join(out, latestLink), id); err != nil {
		return Folder{}, fmt.Errorf("report folder: %w", err)
	}
	return Folder{Path: path}, nil
}

// OpenFolder opens the folder of an earlier run. It may be named "latest".
func OpenFolder(out, id string) (Folder, error) {
	folder := Folder{Path: filepath.Join(out, id)}
	if _, err := os.Stat(folder.Journal()); err != nil {
		return Folder{}, fmt.Errorf("report folder: no run %s below %s: %w", id, out, err)
	}
	return folder, nil
}

// relink replaces the link in one step, so that no reader finds it missing.
func relink(link, target string) error {
	if info, err := os.Lstat(link); err == nil && info.Mode()&os.ModeSymlink == 0 {
		return fmt.Errorf("%s exists and is no symbolic link: move it away", link)
	}
	fresh := link + "." + target
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, link)
}

// ID of the run whose folder it is, also if it was opened through a link.
func (f Folder) ID() string {
	path, err := filepath.EvalSymlinks(f.Path)
	if err != nil {
		path = f.Path
	}
	return filepath.Base(path)
}

// Journal is the path of the run's journal.
func (f Folder) Journal() string { return filepath.Join(f.Path, JournalFile) }

// Evidence is the folder for what explains the failure of one scenario. It is
// not created: most scenarios need none.
func (f Folder) Evidence(scenarioID string) string {
	return filepath.Join(f.Path, EvidenceDir, filepath.FromSlash(scenarioID))
}

// WriteFile writes one file of the folder, whole or not at all.
func (f Folder) WriteFile(name string, content []byte) error {
	return writeAtomically(filepath.Join(f.Path, name), content)
}

func writeAtomically(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}
