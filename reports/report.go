package reports

import (
	"time"
)

// APIVersion and Kind identify the format. A reader that meets another version
// must refuse it rather than guess.
const (
	APIVersion = "conformance.meshfed.io/v1alpha1"
	Kind       = "ConformanceReport"
)

// ConformanceReport is the result of one run.
type ConformanceReport struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Run
	End
	Summary Summary `json:"summary"`
	// Profiles say how conformant the implementation is: the core, and what
	// it declares beyond. A profile without scenarios is left out.
	Profiles []Profile `json:"profiles"`
	// Scenarios are in the order in which their verdicts fell.
	Scenarios []Scenario `json:"scenarios"`
}

// Run is what is known before the first scenario starts.
type Run struct {
	// ID names the run's folder; unique below one output folder.
	ID             string         `json:"id"`
	Implementation Implementation `json:"implementation"`
	// SuiteVersion is the version of the harness and its features.
	SuiteVersion string `json:"suiteVersion"`
	// FeaturesDigest is the SHA-256 of the feature files, names included:
	// two reports are of the same claims if it is the same.
	FeaturesDigest string `json:"featuresDigest,omitempty"`
	// Provider is where the meshes lived ("embedded").
	Provider string   `json:"provider"`
	Topology Topology `json:"topology"`
	// Versions are those found in the clusters, by component
	// ("c1/kubernetes"), not those asked for.
	Versions map[string]string `json:"versions,omitempty"`
	// Capabilities are those the implementation declared, Undeclared the
	// rest of the vocabulary.
	Capabilities []string    `json:"capabilities"`
	Undeclared   []string    `json:"undeclared,omitempty"`
	Environment  Environment `json:"environment"`
	Selection    Selection   `json:"selection"`
	Timeouts     Timeouts    `json:"timeouts"`
	// Repeat is how often each scenario was played; 0 and 1 mean once.
	Repeat int `json:"repeat,omitempty"`
	// Seed of the order in which the scenarios were played; zero means the
	// order of the features.
	Seed    int64     `json:"seed"`
	Started time.Time `json:"started"`
}

// Implementation is the system under test. All but the name are for vendors
// who publish the report; see CheckSubmission.
type Implementation struct {
	// Name is the engine's word on the command line.
	Name         string `json:"name"`
	Organization string `json:"organization,omitempty"`
	Project      string `json:"project,omitempty"`
	URL          string `json:"url,omitempty"`
	// Version is a semantic version of a release or a snapshot.
	Version string `json:"version,omitempty"`
	// Contact are those who answer questions: handles, addresses, links.
	Contact []string `json:"contact,omitempty"`
}

// Topology is the set of meshes the run used.
type Topology struct {
	Lab      string   `json:"lab"`
	Clusters []string `json:"clusters"`
}

// Environment is the machine that ran the harness.
type Environment struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
	// MemoryBytes is the machine's; 0 if it is not known.
	MemoryBytes uint64 `json:"memoryBytes,omitempty"`
	// Kernel is its release: "6.1.0-50-amd64".
	Kernel string `json:"kernel,omitempty"`
	Go     string `json:"go"`
}

// MaxScenarioTimeout is the longest time-out of a scenario with which a
// profile can be a success: a claim that holds after minutes is another claim.
// It is that of all scenarios but those of @load, which have twice as long to send.
const MaxScenarioTimeout = time.Minute

// Timeouts are those that the run was made with, in seconds.
type Timeouts struct {
	// Scenario is that of one scenario without its clean-up; one that is
	// tagged @load has twice as long. At most MaxScenarioTimeout counts as
	// conformance.
	Scenario float64 `json:"scenarioSeconds"`
}

// Selection is what was asked for and how much that is.
type Selection struct {
	// Tags is the tag expression; empty selects every tag.
	Tags string `json:"tags,omitempty"`
	// Paths are feature files, with :LINE where one scenario was asked for.
	Paths []string `json:"paths,omitempty"`
	// Scenarios is how many were selected. A report with fewer verdicts is
	// that of a run that did not end.
	Scenarios int `json:"scenarios"`
}

// End is what is known when the last scenario is over. Its zero value is that
// of a run which never ended: the harness was killed.
type End struct {
	Finished time.Time `json:"finished,omitzero"`
	// SetupError says why no scenario could be run; empty if it could.
	SetupError string `json:"setupError,omitempty"`
	// Interrupted is set if a signal ended the run.
	Interrupted bool `json:"interrupted,omitempty"`
	// Resumed are the times at which a run that was killed or interrupted
	// went on.
	Resumed []time.Time `json:"resumed,omitempty"`
}

// Summary counts verdicts.
type Summary struct {
	Passed       int `json:"passed"`
	Failed       int `json:"failed"`
	Skipped      int `json:"skipped"`
	NotSupported int `json:"notSupported"`
	Inconclusive int `json:"inconclusive"`
	KnownGap     int `json:"knownGap"`
	Flaky        int `json:"flaky"`
}

// Assemble makes the report of a run out of its parts; the summary is always
// computed, never taken on trust.
func Assemble(run Run, scenarios []Scenario, end End) ConformanceReport {
	r := ConformanceReport{APIVersion: APIVersion, Kind: Kind, Run: run, End: end, Scenarios: scenarios}
	// A list without members is an empty list, as the schema has it.
	r.Scenarios = append([]Scenario{}, scenarios...)
	r.Capabilities = append([]string{}, run.Capabilities...)
	r.Topology.Clusters = append([]string{}, run.Topology.Clusters...)
	for _, s := range scenarios {
		*r.Summary.counter(s.Verdict)++
	}
	r.Profiles = profiles(r)
	return r
}

// Count is how many scenarios have the verdict.
func (s Summary) Count(v Verdict) int { return *s.counter(v) }

func (s *Summary) counter(v Verdict) *int {
	return map[Verdict]*int{
		Passed: &s.Passed, Failed: &s.Failed, Skipped: &s.Skipped,
		NotSupported: &s.NotSupported, Inconclusive: &s.Inconclusive, KnownGap: &s.KnownGap, Flaky: &s.Flaky,
	}[v]
}
