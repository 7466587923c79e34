package verify

import (
	"fmt"
	"time"
)

// longestDrain is how long a connection that is there already may be served after
// a withdrawal.
const longestDrain = 2 * time.Second

// drains warns of an ingress gateway that gives a peer who is cut off longer than
// that. Envoy closes what came by the listener of before, an answer that is not
// at its end and a connection on which nobody asks, only once that has drained;
// Istio has 45 s for it.
func (c *checker) drains(d Dump) {
	if d.Side != Ingress || d.Config.Drain <= longestDrain {
		return
	}
	c.report.Warnings = append(c.report.Warnings, fmt.Sprintf(
		"pod %s of the ingress gateway drains for %s: a peer that is cut off can go on that long with an answer that is not at its end; "+
			"to end it, annotate the gateway's pods with proxy.istio.io/config: '{\"drainDuration\": \"1s\"}'", d.Pod, d.Config.Drain))
}
