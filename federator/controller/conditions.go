package controller

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
)

// finding is what the conditions of one declaration follow from.
type finding struct {
	verdict federator.Verdict
	// failed is the error that kept the verdict from being carried out.
	failed error
	// changing: an object of it was to be made, altered or taken away.
	changing bool
	// gateway says that a pod of the gateway in front is ready.
	gateway bool
	// unused: a peer that nothing in force names.
	unused bool
}

// reasonOf is how a condition calls a cause.
func reasonOf(c api.Cause) crd.Reason {
	known := map[api.Cause]crd.Reason{
		api.CauseInvalid: crd.ReasonInvalid, api.CausePeerNotFound: crd.ReasonPeerNotFound,
		api.CausePathClaimed: crd.ReasonPathClaimed, api.CauseHostClaimed: crd.ReasonHostClaimed,
		api.CauseIdentityClaimed: crd.ReasonIdentityClaimed, api.CauseIdentityChanged: crd.ReasonIdentityChanged,
		api.CausePathNotOffered: crd.ReasonPathNotOffered, api.CauseNoGateway: crd.ReasonNoGateway,
		api.CauseClusterNotReady: crd.ReasonClusterNotReady, api.CauseConflict: crd.ReasonConflict,
		api.CauseNotWithdrawn: crd.ReasonNotWithdrawn,
		api.CauseNoMesh:       crd.ReasonNoMesh, causeSecondMesh: crd.ReasonSecondMesh, causeNotManaged: crd.ReasonNamespaceNotManaged,
	}
	if r, ok := known[c]; ok {
		return r
	}
	return crd.ReasonInvalid
}

// The causes that only a controller knows: what stands in a cluster can have two
// Meshes, or be out of its reach.
const (
	causeSecondMesh api.Cause = "second mesh"
	causeNotManaged api.Cause = "namespace not managed"
)

// ofCluster says whether a cause lies in the cluster and not in the declaration.
func ofCluster(c api.Cause) bool { return c == api.CauseClusterNotReady || untrue(c) }

// untrue says whether a cause means that the cluster holds something else than
// what is declared, whatever form is in force.
func untrue(c api.Cause) bool { return c == api.CauseConflict || c == api.CauseNotWithdrawn }

// verdictFor is a refusal that no engine was asked about.
func verdictFor(cause api.Cause, reason string) federator.Verdict {
	return federator.Verdict{Form: federator.FormNone, Problems: []federator.Problem{{Cause: cause, Reason: reason}}}
}

// state is one condition before it is stamped.
type state struct {
	status  metav1.ConditionStatus
	reason  crd.Reason
	message string
}

func yes(r crd.Reason, message string) state { return state{metav1.ConditionTrue, r, message} }
func no(r crd.Reason, message string) state  { return state{metav1.ConditionFalse, r, message} }

// states are the three conditions, in the order of crd.ConditionTypes. One that
// fails is repeated by those that rest on it, so that the last one says it all.
func (f finding) states() [3]state {
	accepted := f.accepted()
	programmed := f.programmed(accepted)
	return [3]state{accepted, programmed, f.ready(programmed)}
}

func (f finding) accepted() state {
	problem, found := f.problem()
	switch {
	case !found || ofCluster(problem.Cause):
		return yes(crd.ReasonAccepted, "valid beside all other declarations")
	case f.verdict.Form == federator.FormPart:
		return yes(crd.ReasonPartiallyAccepted, f.message())
	}
	return no(reasonOf(problem.Cause), f.message())
}

func (f finding) programmed(accepted state) state {
	problem, found := f.problem()
	wrong := slices.IndexFunc(f.verdict.Problems, func(p federator.Problem) bool { return untrue(p.Cause) })
	switch {
	case accepted.status != metav1.ConditionTrue:
		return accepted
	case wrong >= 0: // their order is only that in which they were found
		return no(reasonOf(f.verdict.Problems[wrong].Cause), f.message())
	case found && (f.verdict.Form == federator.FormNone || f.verdict.Form == federator.FormEarlier):
		return no(reasonOf(problem.Cause), f.message())
	case f.failed != nil:
		return no(crd.ReasonWriteFailed, clip(f.failed.Error(), maxMessage))
	case f.unused:
		return yes(crd.ReasonUnused, "no declaration in force names it")
	}
	return yes(crd.ReasonProgrammed, "the cluster holds every object that it asks for")
}

func (f finding) ready(programmed state) state {
	problem, found := f.problem()
	switch {
	case programmed.status != metav1.ConditionTrue:
		return programmed
	case found:
		return no(reasonOf(problem.Cause), f.message())
	case f.unused:
		return programmed
	case !f.gateway:
		return no(crd.ReasonGatewayNotReady, "no pod of the private gateway is ready")
	}
	return yes(crd.ReasonReady, "in force")
}

// problem is the first one: the others often follow from it.
func (f finding) problem() (federator.Problem, bool) {
	if len(f.verdict.Problems) == 0 {
		return federator.Problem{}, false
	}
	return f.verdict.Problems[0], true
}

// What the API server takes of a condition's message and of an event's note, in bytes:
// it refuses what is longer, and then nobody is told.
const (
	maxMessage = 4096
	maxNote    = 1024
)

func (f finding) message() string {
	parts := make([]string, 0, len(f.verdict.Problems)+1)
	for _, p := range f.verdict.Problems {
		p.Declaration, p.Where = "", ""
		parts = append(parts, p.String())
	}
	if f.verdict.Form == federator.FormEarlier {
		parts = append(parts, "the version before stays in force")
	}
	return clip(strings.Join(parts, "; "), maxMessage)
}

// clip puts a text on one line of so many bytes, and cuts no character in two.
func clip(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "")
	}
	return text
}
