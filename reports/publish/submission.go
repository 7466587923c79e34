package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/meshfed/meshfed/reports"
)

// Files of a submission beside the run's own.
const (
	submissionReadme = "README.md"
	submissionKey    = "key.pub"
	submissionRun    = "run"
)

// releases are semantic versions: a branch ("main", "latest") names another
// thing tomorrow, so a report of it cannot be looked into.
var releases = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// folders are <organization>-<project> in lower case.
var folders = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// CheckSubmission checks a folder …/<api version>/<organization>-<project>/
// <version> by the rules of SUBMITTING.md and returns every fault it has. With
// keyFile, the run has to be signed by that key instead of the submission's
// own. The error is about what could not be looked at.
func CheckSubmission(ctx context.Context, path, keyFile string) ([]string, error) {
	whole, err := filepath.Abs(path)
	if err == nil {
		_, err = os.ReadDir(whole)
	}
	if err != nil {
		return nil, fmt.Errorf("check submission: %w", err)
	}
	if keyFile == "" {
		keyFile = filepath.Join(whole, submissionKey)
	}
	faults := append(misplaced(whole), readmeFaults(filepath.Join(whole, submissionReadme))...)
	key, err := ReadPublicKey(keyFile)
	if err != nil {
		return append(faults, err.Error()), nil
	}
	verified, err := Verify(ctx, filepath.Join(whole, submissionRun), key)
	if err != nil {
		return append(faults, strings.Split(err.Error(), "\n")...), nil
	}
	return append(faults, reportFaults(whole, verified.Report)...), nil
}

// misplaced: nothing but what belongs there, so that nobody wonders.
func misplaced(path string) []string {
	var faults []string
	entries, err := os.ReadDir(path)
	if err != nil {
		return []string{err.Error()}
	}
	for _, e := range entries {
		switch e.Name() {
		case submissionReadme, submissionKey, submissionRun:
		default:
			faults = append(faults, fmt.Sprintf("%s: only %s, %s and %s/ belong there", e.Name(), submissionReadme, submissionKey, submissionRun))
		}
	}
	return faults
}

func readmeFaults(path string) []string {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{submissionReadme + " is missing"}
	}
	if err != nil {
		return []string{err.Error()}
	}
	_, section, found := strings.Cut(string(content), "\n## Reproduce\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !found || !strings.Contains(section, "conformance run") {
		return []string{submissionReadme + `: want a section "## Reproduce" with the command line of the run`}
	}
	return nil
}

// reportFaults are about what a verified report says.
func reportFaults(path string, r reports.ConformanceReport) []string {
	var faults []string
	fault := func(is bool, format string, args ...any) {
		if is {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	i := r.Implementation
	version, project := filepath.Base(path), filepath.Base(filepath.Dir(path))
	api := filepath.Base(filepath.Dir(filepath.Dir(path)))
	_, wanted, _ := strings.Cut(r.APIVersion, "/")
	fault(api != wanted, "the folder is below %q: want the report's API version, %q", api, wanted)
	fault(!folders.MatchString(project) || project != strings.ToLower(i.Organization+"-"+i.Project),
		"the folder %q: want <organization>-<project> of the report in lower case, %q", project, strings.ToLower(i.Organization+"-"+i.Project))
	fault(version != i.Version, "the folder %q: want the implementation's version, %q", version, i.Version)
	fault(!releases.MatchString(i.Version), "version %q: want a semantic version with a v, such as v1.4.0; never a branch", i.Version)
	fault(i.Organization == "" || i.Project == "", "organization %q and project %q: both are needed", i.Organization, i.Project)
	home, err := url.Parse(i.URL)
	fault(err != nil || home.Scheme != "https" || home.Host == "", "url %q: want an https URL", i.URL)
	fault(len(i.Contact) == 0, "contact: want at least one")
	fault(len(r.Profiles) == 0 || r.Profiles[0].Name != reports.CoreProfile, "the core profile was not run")
	fault(r.Incomplete() != "", "the run is not complete: %s", r.Incomplete())
	fault(r.Selection.Tags != "" || len(r.Selection.Paths) > 0, "only a part of the scenarios was run: %s %s", r.Selection.Tags, strings.Join(r.Selection.Paths, " "))
	for _, p := range r.Profiles {
		fault(p.Result == reports.Failure, "profile %s is a failure: %s", p.Name, strings.Join(p.NotPassed, ", "))
	}
	return faults
}
