// Package reports is the record of a conformance run: the typed, versioned
// ConformanceReport, the journal from which it can be rebuilt at any moment,
// and its writers (YAML, JSON, JUnit, console).
//
// It must not know where verdicts come from: nothing of Kubernetes, of meshes,
// of Gherkin or of godog. Every other package of the harness may use it.
package reports
