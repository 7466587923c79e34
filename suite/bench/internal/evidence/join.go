package evidence

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meshfed/meshfed/suite/bench/internal/accesslog"
)

// hop is one line of the access log of a proxy.
type hop struct {
	where string
	accesslog.Line
}

// Join puts the access-log lines of all proxies together by their request, each
// request's in the order in which the proxies saw it: so that the way of a
// request through both gateways can be read from top to bottom. A request is
// known by the harness's nonce where the logs have it, because gateways give
// each request an id of their own; elsewhere by that id. Lines with neither,
// which are those of connections, come last. Logs are by
// the name of the proxy; what is no JSON is no access-log line.
func Join(logs map[string][]byte) []byte {
	byID := map[string][]hop{}
	first := map[string]time.Time{}
	for _, where := range slices.Sorted(maps.Keys(logs)) {
		for line := range accesslog.Lines(logs[where]) {
			if line.Start.IsZero() {
				continue
			}
			id := cmp.Or(line.Nonce, line.ID)
			byID[id] = append(byID[id], hop{where, line})
			if seen, known := first[id]; !known || line.Start.Before(seen) {
				first[id] = line.Start
			}
		}
	}
	ids := slices.SortedFunc(maps.Keys(byID), func(a, b string) int {
		return cmp.Or(-cmp.Compare(min(len(a), 1), min(len(b), 1)), first[a].Compare(first[b]), cmp.Compare(a, b))
	})
	var out bytes.Buffer
	for _, id := range ids {
		hops := byID[id]
		slices.SortStableFunc(hops, func(a, b hop) int { return a.Start.Compare(b.Start) })
		fmt.Fprintf(&out, "request %s\n", cmp.Or(id, "without an id"))
		for _, h := range hops {
			fmt.Fprintf(&out, "  %s %s\n", h.where, h.Raw)
		}
	}
	return out.Bytes()
}
