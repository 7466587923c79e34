// Package accesslog reads what Istio's proxies write, in JSON, about requests
// and connections. It is pure: it must not know how a log is had, nor what
// somebody wants to learn from it.
package accesslog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Line is one line of an access log. Fields that the mesh's owner has not asked
// for are zero.
type Line struct {
	// Raw is the line as it was written, without its end.
	Raw []byte `json:"-"`

	Start time.Time `json:"start_time"`
	// Path is empty for a connection on which no request was read.
	Path      string `json:"path"`
	Method    string `json:"method"`
	Authority string `json:"authority"`
	Agent     string `json:"user_agent"`
	// Nonce is the harness's mark of a request, ID the gateway's own.
	Nonce string `json:"nonce"`
	ID    string `json:"request_id"`

	Code    int    `json:"response_code"`
	Flags   string `json:"response_flags"`
	Details string `json:"response_code_details"`
	// Failure is why a connection to the next hop could not be used.
	Failure string `json:"upstream_transport_failure_reason"`
	SNI     string `json:"requested_server_name"`
	Cluster string `json:"upstream_cluster"`
	Host    string `json:"upstream_host"`

	// Took and Waited are in microseconds; they are not Istio's own.
	Took   Number `json:"took_us"`
	Waited Number `json:"upstream_us"`
	// Duration and Service are Istio's own, in whole milliseconds.
	Duration Number `json:"duration"`
	Service  Number `json:"upstream_service_time"`
}

// Flag says whether Envoy has set that response flag.
func (l Line) Flag(f string) bool { return slices.Contains(strings.Split(l.Flags, ","), f) }

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

// Number is what Envoy writes as a number, as a text, or as "-" or null where it
// has none.
type Number struct {
	Value int64
	Known bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(raw []byte) error {
	value, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	*n = Number{int64(value), err == nil}
	return nil
}

// Lines are the access-log lines of a log, in its order: proxies write other
// things into it, too.
func Lines(log []byte) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		for raw := range bytes.Lines(log) {
			var l Line
			// A field of another type than usual leaves the others readable.
			var other *json.UnmarshalTypeError
			if err := json.Unmarshal(raw, &l); err != nil && (!errors.As(err, &other) || other.Field == "") {
				continue
			}
			l.Raw = bytes.TrimSpace(raw)
			if !yield(l) {
				return
			}
		}
	}
}
