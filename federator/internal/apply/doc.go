// Package apply carries out a plan: it writes the intent, makes the changes in
// the plan's order, and writes down what it made. It stops at the first error, but
// withdrawals go on past what the API server refuses to delete; the next run
// continues from the inventory.
//
// It decides nothing: what to change, and in which order, is the plan's.
package apply
