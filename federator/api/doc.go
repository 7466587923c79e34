// Package api holds the declarations of a mesh federation: what one side
// exposes, what it consumes, and who its peers are.
//
// It decodes them strictly (an unknown field, a wrong version or a duplicate is
// an error that names file and line) and validates them as one whole wish. It
// must not know any cluster: everything here is decided from the text alone.
package api
