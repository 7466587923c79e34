package suite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite/internal/play"
)

// requestsFile holds what a scenario asked and what came of it.
const requestsFile = "requests.txt"

// evidence keeps what explains the outcome: of every scenario the requests it
// made, and of one that did not pass all that the session can get. A verdict
// that falls because something could not be kept would be a wrong one, so
// faults are told in the reason only, and a pass has none to tell.
func (j Judge) evidence(ctx context.Context, session Session, outcome *play.Outcome, entry *reports.Scenario) {
	if j.EvidenceDir == nil {
		return
	}
	dir := j.EvidenceDir(entry.ID)
	var files []string
	var errs []error
	switch outcome.Verdict {
	case reports.Passed, reports.Skipped, reports.NotSupported:
	default:
		taken, err := session.Evidence(ctx, dir)
		files, errs = taken, append(errs, err)
	}
	if requests := session.Requests(); requests != "" {
		errs = append(errs, writeRequests(dir, requests))
		files = append(files, requestsFile)
	}
	for _, name := range files {
		one, err := digest(dir, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		one.Path = path.Join(reports.EvidenceDir, entry.ID, one.Path)
		entry.Evidence = append(entry.Evidence, one)
	}
	if err := errors.Join(errs...); err != nil && outcome.Verdict != reports.Passed {
		outcome.Reason = join(outcome.Reason, fmt.Sprintf("evidence is not complete: %v", err))
	}
}

func writeRequests(dir, requests string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, requestsFile), []byte(requests), 0o644); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}

func digest(dir, name string) (reports.EvidenceFile, error) {
	content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return reports.EvidenceFile{}, fmt.Errorf("evidence: %w", err)
	}
	sum := sha256.Sum256(content)
	return reports.EvidenceFile{Path: name, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(content))}, nil
}
