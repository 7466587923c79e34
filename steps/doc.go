// Package steps is what the words of the features mean: one file per noun, and
// in it step definitions that say who does what and what must hold.
//
// Steps reach meshes through package cluster, requests through package traffic
// and the system under test through package engine; they must know neither a
// provider nor a particular engine. All state of a scenario is in its World.
package steps
