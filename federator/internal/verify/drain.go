package verify

import (
	"fmt"
	"time"
)

// longestDrain is how long a connection that is there already may be served after
// a withdrawal.
const longestDrain = 2 * time.Second

// drains warns of an ingress gateway that gives a peer who is cut off longer than
// that. Envoy closes the connections of a replaced listener only after its drain time,
// which is 45 s in Istio: unfinished answers and idle connections live that long.
func (c *checker) drains(d Dump) {
	if d.Side != Ingress || d.Config.Drain <= longestDrain {
		return
	}
	c.report.Warnings = append(c.report.Warnings, fmt.Sprintf(
		"pod %s of the ingress gateway drains for %s: a peer that is cut off can go on that long with an answer that is not at its end; "+
			"to end it, annotate the gateway's pods with proxy.istio.io/config: '{\"drainDuration\": \"1s\"}'", d.Pod, d.Config.Drain))
}
