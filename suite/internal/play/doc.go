// Package play runs one scenario through godog and says how it ended.
//
// godog alone would call a skipped scenario passed, a run without scenarios
// green, and select rows of an outline only all together; so each scenario is
// handed to it as a feature of its own, and what happened is read from hooks
// instead of from godog's report. The package must not know what the steps do.
package play
