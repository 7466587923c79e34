// Package suite runs features: it selects scenarios, refuses a selection with
// nothing to run, plays each scenario, has it cleaned up, journals its verdict
// before the next one starts, and writes the report out of the journal.
//
// It must not know what the scenarios are about: what a scenario acts on comes
// from a Bench, and what it may be about from the tags of the features.
package suite
