// Package exec runs a vendor's program as the system under test: one process
// for each operation, a JSON request on its standard input, a JSON answer on
// its standard output. docs/exec-protocol.md is the whole contract.
//
// It trusts nothing the program says: an answer with an unknown field, without
// a result or with anything after it is an error, and so are silence, an exit
// code and a time-out. Whether the program did what it says is the features'
// business.
//
// The package must not know what declarations mean; it hands them on as text.
package exec
