// Package mutants tests the suite: it breaks the engine in every way that it
// knows of, and has the scenarios that ought to notice look at the result. A
// broken engine on which all of them stay green is a hole in the features.
//
// A mutant is dead if a scenario failed while the fault was in force, or if the
// API server refuses the faulty objects. That a scenario fails before the fault
// has changed anything is a false alarm, and kills nothing.
//
// The package must not know how scenarios are played or where meshes live.
package mutants
