package why

import (
	"slices"
	"strings"

	"github.com/meshfed/meshfed/suite/bench/internal/accesslog"
)

// Lines reads a log: those about requests whose path holds the mark or whose
// nonce it is, and those about connections on which no request was read.
func Lines(log []byte, mark string) []accesslog.Line {
	var out []accesslog.Line
	for l := range accesslog.Lines(log) {
		if l.Start.IsZero() {
			continue
		}
		if l.Path == "" || l.Nonce == mark || strings.Contains(l.Path, mark) {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b accesslog.Line) int { return a.Start.Compare(b.Start) })
	return out
}

// request is the last line about a request.
func request(lines []accesslog.Line) (accesslog.Line, bool) {
	for _, l := range slices.Backward(lines) {
		if l.Path != "" {
			return l, true
		}
	}
	return accesslog.Line{}, false
}

// refused is a connection that no filter chain took.
func refused(lines []accesslog.Line) (accesslog.Line, bool) {
	for _, l := range slices.Backward(lines) {
		if l.Path == "" && strings.Contains(l.Details, "filter_chain_not_found") {
			return l, true
		}
	}
	return accesslog.Line{}, false
}

// answered says that the request was handed on, and answered from there.
func answered(l accesslog.Line) bool { return strings.HasPrefix(l.Details, "via_upstream") }
