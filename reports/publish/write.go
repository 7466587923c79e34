package publish

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/reports/cucumber"
	"github.com/meshfed/meshfed/reports/page"
)

// Names of the files that only this package makes; see also package reports.
const (
	HTMLFile     = "index.html"
	MarkdownFile = "summary.md"
	BadgeFile    = "badge.svg"
	CucumberFile = "cucumber.json"
	MessagesFile = "cucumber-messages.ndjson"
	ManifestFile = "manifest.json"
	EnvelopeFile = "manifest.dsse.json"
)

// output is one file and how it is made. Every writer is deterministic, since
// Verify makes each file once more.
type output struct {
	name  string
	write func(io.Writer, reports.ConformanceReport) error
}

// outputs are all files that are made of the report. Evidence is read from
// files, which is the run's folder.
func outputs(files fs.FS) []output {
	return []output{
		{reports.YAMLFile, reports.WriteYAML},
		{reports.JSONFile, reports.WriteJSON},
		{reports.JUnitFile, reports.WriteJUnit},
		{MarkdownFile, WriteMarkdown},
		{BadgeFile, WriteBadge},
		{CucumberFile, cucumber.WriteJSON},
		{MessagesFile, cucumber.WriteMessages},
		{HTMLFile, func(w io.Writer, r reports.ConformanceReport) error { return page.Write(w, r, files) }},
	}
}

// Write writes every report file, each of them whole or not at all.
func Write(folder reports.Folder, r reports.ConformanceReport) error {
	var errs []error
	for _, o := range outputs(os.DirFS(folder.Path)) {
		var content bytes.Buffer
		err := o.write(&content, r)
		if err == nil {
			err = folder.WriteFile(o.name, content.Bytes())
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", o.name, err))
		}
	}
	return errors.Join(errs...)
}
