package why

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite/bench/internal/accesslog"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/wire"
)

// Way is all that was said about one request.
type Way struct {
	// Answer is what the caller got.
	Answer traffic.Outcome
	// Sidecar, Egress and Ingress are the lines of each proxy since the request
	// was sent.
	Sidecar, Egress, Ingress []accesslog.Line
	// EgressGateway is the service name of the consuming mesh's egress gateway, by
	// which a sidecar's cluster is known to lead to it.
	EgressGateway string
}

// Complete says whether every proxy that must have said something has: logs are
// written with a delay.
func (w Way) Complete() bool {
	side, said := request(w.Sidecar)
	if !said {
		// Of a name that was not found, no proxy hears.
		return w.Answer.Fault == wire.FaultResolve
	}
	if !w.leaves(side) || side.Flag("UF") || side.Flag("UH") {
		return true
	}
	out, said := request(w.Egress)
	if !said {
		return false
	}
	if answered(out) {
		_, said = request(w.Ingress)
		return said
	}
	if strings.Contains(out.Failure, resetByPeer) {
		// The other side has said why, or there is no other side.
		_, said = refused(w.Ingress)
		return said
	}
	return true
}

// Silent says that no proxy has said anything of a request of which one must have
// heard: no proxy hears of one whose caller has not even made a connection.
func (w Way) Silent() bool {
	if slices.Contains([]wire.Fault{wire.FaultResolve, wire.FaultRefused, wire.FaultUnroutable}, w.Answer.Fault) {
		return false
	}
	return !slices.ContainsFunc([][]accesslog.Line{w.Sidecar, w.Egress, w.Ingress}, func(lines []accesslog.Line) bool {
		_, said := request(lines)
		return said
	})
}

// resetByPeer is how a handshake ends that the other side did not even begin.
const resetByPeer = "Connection_reset_by_peer"

func (w Way) leaves(side accesslog.Line) bool { return strings.Contains(side.Cluster, w.EgressGateway) }

// Judge names the broken layer: the first proxy that did not hand the request on
// knows why.
func (w Way) Judge() steps.Diagnosis {
	d := w.judge()
	for _, at := range []struct {
		place string
		lines []accesslog.Line
	}{{"sidecar", w.Sidecar}, {"egress gateway", w.Egress}, {"ingress gateway", w.Ingress}} {
		if l, said := request(at.lines); said {
			d.Way = append(d.Way, at.place+": "+l.String())
		} else if l, said := refused(at.lines); said {
			d.Way = append(d.Way, at.place+": "+l.String())
		}
	}
	return d
}

func because(layer steps.Layer, format string, args ...any) steps.Diagnosis {
	return steps.Diagnosis{Layer: layer, Story: fmt.Sprintf(format, args...)}
}

func (w Way) judge() steps.Diagnosis {
	side, said := request(w.Sidecar)
	switch {
	case !said && w.atTheEdge():
		return w.ingress(accesslog.Line{})
	case !said && w.Answer.Fault == wire.FaultResolve:
		return because(steps.LayerName, "the caller cannot find the name: %s", w.Answer)
	case !said:
		return because(steps.LayerConsumerRoute, "the caller's sidecar has seen no such request; the caller got: %s", w.Answer)
	case side.Flag("NR") || side.Flag("NC") || strings.Contains(side.Cluster, "BlackHoleCluster"):
		return because(steps.LayerConsumerRoute, "the caller's sidecar has no route for it: %s", side)
	case strings.Contains(side.Details, "rbac_access_denied"):
		return because(steps.LayerPolicy, "a policy of the caller's own mesh denies it: %s", side)
	case !w.leaves(side):
		return w.local(side)
	case side.Flag("UF") || side.Flag("UH"):
		return because(steps.LayerEgressTLS, "the caller's sidecar does not reach the egress gateway: %s %s", side, side.Failure)
	}
	return w.egress()
}

// atTheEdge is a request that came to the peer's gateway from outside all meshes.
func (w Way) atTheEdge() bool {
	_, out := request(w.Egress)
	_, in := request(w.Ingress)
	return in && !out
}

// local is a request that the consuming mesh has kept.
func (w Way) local(side accesslog.Line) steps.Diagnosis {
	if side.Code > 0 && side.Code < 400 {
		return because(steps.LayerNone, "a workload of the caller's own mesh has answered: %s", side)
	}
	return because(steps.LayerConsumerRoute, "it was led to %s in the caller's own mesh, which failed: %s", side.Cluster, side)
}

func (w Way) egress() steps.Diagnosis {
	out, said := request(w.Egress)
	switch {
	case !said:
		return because(steps.LayerEgressTLS, "the egress gateway has seen no such request")
	case strings.Contains(out.Details, "rbac_access_denied"):
		return because(steps.LayerPolicy, "the egress gateway of the caller's own mesh denies it: %s", out)
	case out.Flag("NR") || out.Flag("NC"):
		return because(steps.LayerConsumerRoute, "the egress gateway has no route for it: %s", out)
	case out.Flag("UH"):
		return because(steps.LayerAddress, "no address of the peer is healthy: %s", out)
	case answered(out):
		return w.ingress(out)
	}
	return w.connection(out)
}

// connection judges why the egress gateway got no usable connection to the peer.
func (w Way) connection(out accesslog.Line) steps.Diagnosis {
	reason := out.Failure
	if reason == "" {
		reason = out.Details
	}
	if no, said := refused(w.Ingress); said {
		return because(steps.LayerSNI, "the peer's gateway serves no %q", no.SNI)
	}
	if strings.Contains(reason, "TLS_error") || strings.Contains(reason, "CERTIFICATE") || strings.Contains(reason, "certificate") {
		if strings.Contains(reason, resetByPeer) {
			return because(steps.LayerSNI, "the peer ends the connection before the handshake, as it does for a server name that it does not serve: %s", reason)
		}
		return because(steps.LayerHandshake, "%s", reason)
	}
	return because(steps.LayerAddress, "%s is not reached: %s", out.Host, reason)
}

func (w Way) ingress(out accesslog.Line) steps.Diagnosis {
	in, said := request(w.Ingress)
	switch {
	case !said:
		return because(steps.LayerAddress, "something else than the peer's gateway has answered at %s: %s", out.Host, out)
	case strings.Contains(in.Details, "rbac_access_denied"):
		return because(steps.LayerPolicy, "the peer's gateway denies it: %s", in.Details)
	case in.Flag("NR"):
		return because(steps.LayerRoute, "the peer's gateway has no route for %s: %s", in.Path, in.Details)
	case in.Flag("NC"):
		return because(steps.LayerRoute, "its route at the peer leads to a subset or service that is not there: %s", in.Details)
	case in.Flag("UH") || in.Flag("UF") || in.Flag("UC") || in.Flag("UT"):
		return because(steps.LayerBackend, "the peer's gateway does not reach the exposed service: %s %s", in, in.Failure)
	case in.Code >= 400:
		return because(steps.LayerBackend, "behind the peer's gateway it was answered by %d: %s", in.Code, in)
	}
	return because(steps.LayerNone, "the exposed service has answered: %s", in)
}
