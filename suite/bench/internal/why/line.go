package why

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Line is one line of an access log.
type Line struct {
	Start     time.Time `json:"start_time"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Nonce     string    `json:"nonce"`
	Authority string    `json:"authority"`
	Code      int       `json:"response_code"`
	Flags     string    `json:"response_flags"`
	Details   string    `json:"response_code_details"`
	// Failure is why a connection to the next hop could not be used.
	Failure string `json:"upstream_transport_failure_reason"`
	SNI     string `json:"requested_server_name"`
	Cluster string `json:"upstream_cluster"`
	Host    string `json:"upstream_host"`
}

// Lines reads a log: those about requests whose path holds the mark or whose
// nonce it is, and those about connections on which no request was read.
func Lines(log []byte, mark string) []Line {
	var out []Line
	for raw := range bytes.Lines(log) {
		var l Line
		if json.Unmarshal(raw, &l) != nil || l.Start.IsZero() {
			continue
		}
		if l.Path == "" || l.Nonce == mark || strings.Contains(l.Path, mark) {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b Line) int { return a.Start.Compare(b.Start) })
	return out
}

// request is the last line about a request.
func request(lines []Line) (Line, bool) {
	for _, l := range slices.Backward(lines) {
		if l.Path != "" {
			return l, true
		}
	}
	return Line{}, false
}

// refused is a connection that no filter chain took.
func refused(lines []Line) (Line, bool) {
	for _, l := range slices.Backward(lines) {
		if l.Path == "" && strings.Contains(l.Details, "filter_chain_not_found") {
			return l, true
		}
	}
	return Line{}, false
}

func (l Line) flag(f string) bool { return slices.Contains(strings.Split(l.Flags, ","), f) }

// next says that the request was handed on, and answered from there.
func (l Line) next() bool { return strings.HasPrefix(l.Details, "via_upstream") }

// String is what matters of it.
func (l Line) String() string {
	if l.Path == "" {
		return fmt.Sprintf("a connection for %q: %s", l.SNI, l.Details)
	}
	text := fmt.Sprintf("%d %s (%s)", l.Code, l.Details, cmp.Or(l.Flags, "-"))
	if l.Cluster != "" {
		text += " by " + l.Cluster + " at " + cmp.Or(l.Host, "no address")
	}
	return text
}
