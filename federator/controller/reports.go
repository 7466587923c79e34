package controller

import (
	"fmt"
	"strings"

	"k8s.io/utils/ptr"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
)

// seen is all that one reconcile found out.
type seen struct {
	declared declared
	outcome  federator.Convergence
	// failed is the error that ended the convergence early.
	failed error
	ready  gateways
	// changing are the declarations of which an object was to be changed.
	changing map[string]bool
}

// reports puts together what each resource is told. One that nothing was decided
// about, because the cluster failed first, is told nothing.
func (r *reconciler) reports(s seen) []report {
	var out []report
	add := func(rep report, ok bool) bool {
		if ok {
			out = append(out, rep)
		}
		return ok && s.failed == nil
	}
	for i := range s.declared.meshes {
		m := &s.declared.meshes[i]
		f, ok := r.meshFinding(s, i)
		if add(reportOn(m, &m.Status.Conditions, f), ok) && i == 0 && f.verdict.Form != federator.FormNone {
			m.Status.Exposures, m.Status.Consumptions = ptr.To(int32(len(s.outcome.InForce.Exposures))), ptr.To(int32(len(s.outcome.InForce.Consumptions)))
		}
	}
	for i := range s.declared.peers {
		p := &s.declared.peers[i]
		f, ok := r.finding(s, api.Key{Kind: api.KindPeer, Name: p.Name})
		f.gateway, f.unused = true, !uses(s.outcome.InForce, p.Name)
		add(reportOn(p, &p.Status.Conditions, f), ok)
	}
	for i := range s.declared.exposures {
		e := &s.declared.exposures[i]
		f, ok := r.finding(s, api.Key{Kind: api.KindExposure, Namespace: e.Namespace, Name: e.Name})
		f.gateway = s.ready.ingress
		if add(reportOn(e, &e.Status.Conditions, f), ok) {
			e.Status.Peers = admitted(s.outcome.InForce, e)
		}
	}
	for i := range s.declared.consumptions {
		c := &s.declared.consumptions[i]
		f, ok := r.finding(s, api.Key{Kind: api.KindConsumption, Namespace: c.Namespace, Name: c.Name})
		f.gateway = s.ready.egress
		add(reportOn(c, &c.Status.Conditions, f), ok)
	}
	return out
}

func (r *reconciler) meshFinding(s seen, i int) (finding, bool) {
	if i > 0 {
		return finding{verdict: verdictFor(causeSecondMesh,
			"Mesh "+s.declared.meshes[0].Name+" is this cluster's boundary already; a cluster has one")}, true
	}
	f, ok := r.finding(s, meshKey(&s.declared.meshes[i]))
	inForce := s.outcome.InForce
	f.gateway = (len(inForce.Exposures) == 0 || s.ready.ingress) && (len(inForce.Consumptions) == 0 || s.ready.egress)
	return f, ok
}

// finding is the engine's verdict, or why it has none; false when nothing is known.
func (r *reconciler) finding(s seen, key api.Key) (finding, bool) {
	if v, ok := s.outcome.Verdicts[key]; ok {
		return finding{verdict: v, failed: s.failed, changing: s.changing[key.String()]}, true
	}
	m := s.declared.mesh()
	switch {
	case m == nil: // that much is known, whatever has failed
		reason := "no Mesh is declared; state this side's gateways in one"
		if s.failed != nil {
			reason += "; what was in force may be so still: " + s.failed.Error()
		}
		return finding{verdict: verdictFor(api.CauseNoMesh, reason)}, true
	case s.failed != nil && s.outcome.Verdicts[meshKey(m)].Form != federator.FormNone:
		return finding{}, false
	case key.Namespace != "" && !r.options.manages(key.Namespace):
		return finding{verdict: verdictFor(causeNotManaged,
			fmt.Sprintf("this controller looks after the namespaces %s", strings.Join(r.options.Namespaces, ", ")))}, true
	}
	return finding{verdict: verdictFor(api.CauseNoMesh, "Mesh "+m.Name+" is not accepted")}, true
}

// changing are the declarations of which a plan changes an object.
func changing(p federator.Plan) map[string]bool {
	out := map[string]bool{}
	for _, c := range p.Changes {
		if c.Action == federator.ActionUnchanged {
			continue
		}
		for _, by := range c.DeclaredBy {
			out[by] = true
		}
	}
	return out
}

func uses(s federator.Spec, peer string) bool {
	for _, e := range s.Exposures {
		for _, c := range e.Spec.Consumers {
			if c.Peer == peer {
				return true
			}
		}
	}
	for _, c := range s.Consumptions {
		if c.Spec.From.Peer == peer {
			return true
		}
	}
	return false
}

// admitted are the peers that can call an exposure now.
func admitted(inForce federator.Spec, e *crd.Exposure) string {
	var peers []string
	for _, f := range inForce.Exposures {
		if f.Namespace == e.Namespace && f.Name == e.Name {
			for _, c := range f.Spec.Consumers {
				peers = append(peers, c.Peer)
			}
		}
	}
	return strings.Join(peers, ",")
}
