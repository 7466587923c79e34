// Package publish makes the files of a run's folder out of its report, seals
// them with digests and a signature, and verifies all of it again: every
// verdict from what was recorded, every file from the journal.
//
// It must not know how a run is played, nor what its verdicts are about.
package publish
