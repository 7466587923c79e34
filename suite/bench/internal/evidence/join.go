package evidence

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// hop is one line of an access log.
type hop struct {
	where, start string
	line         []byte
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
	first := map[string]string{}
	for _, where := range slices.Sorted(maps.Keys(logs)) {
		for line := range bytes.Lines(logs[where]) {
			var fields struct {
				Nonce string `json:"nonce"`
				ID    string `json:"request_id"`
				Start string `json:"start_time"`
			}
			if json.Unmarshal(line, &fields) != nil || fields.Start == "" {
				continue
			}
			id := cmp.Or(fields.Nonce, fields.ID)
			byID[id] = append(byID[id], hop{where, fields.Start, bytes.TrimSpace(line)})
			if seen := first[id]; seen == "" || fields.Start < seen {
				first[id] = fields.Start
			}
		}
	}
	ids := slices.SortedFunc(maps.Keys(byID), func(a, b string) int {
		return cmp.Or(-cmp.Compare(min(len(a), 1), min(len(b), 1)), cmp.Compare(first[a], first[b]), cmp.Compare(a, b))
	})
	var out bytes.Buffer
	for _, id := range ids {
		hops := byID[id]
		slices.SortStableFunc(hops, func(a, b hop) int { return cmp.Compare(a.start, b.start) })
		fmt.Fprintf(&out, "request %s\n", cmp.Or(id, "without an id"))
		for _, h := range hops {
			fmt.Fprintf(&out, "  %s %s\n", h.where, h.line)
		}
	}
	return out.Bytes()
}
