package controller

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
)

func TestTheConditionsSayHowFarADeclarationCame(t *testing.T) {
	bad := func(form federator.Form, causes ...api.Cause) federator.Verdict {
		out := federator.Verdict{Form: form}
		for _, cause := range causes {
			out.Problems = append(out.Problems, federator.Problem{Cause: cause, Reason: "why"})
		}
		return out
	}
	whole := federator.Verdict{Form: federator.FormWhole}
	cases := map[string]struct {
		finding finding
		// want has the reasons of Accepted, Programmed and Ready; those that fail
		// begin with "!".
		want [3]string
	}{
		"in force":             {finding{verdict: whole, gateway: true}, [3]string{"Accepted", "Programmed", "Ready"}},
		"no gateway pod":       {finding{verdict: whole}, [3]string{"Accepted", "Programmed", "!GatewayNotReady"}},
		"unused peer":          {finding{verdict: whole, gateway: true, unused: true}, [3]string{"Accepted", "Unused", "Unused"}},
		"API server away":      {finding{verdict: whole, failed: errors.New("refused")}, [3]string{"Accepted", "!WriteFailed", "!WriteFailed"}},
		"path taken":           {finding{verdict: bad(federator.FormNone, api.CausePathClaimed)}, [3]string{"!PathClaimed", "!PathClaimed", "!PathClaimed"}},
		"edit refused":         {finding{verdict: bad(federator.FormEarlier, api.CausePathClaimed)}, [3]string{"!PathClaimed", "!PathClaimed", "!PathClaimed"}},
		"one consumer left":    {finding{verdict: bad(federator.FormPart, api.CausePeerNotFound), gateway: true}, [3]string{"PartiallyAccepted", "Programmed", "!PeerNotFound"}},
		"service missing":      {finding{verdict: bad(federator.FormNone, api.CauseClusterNotReady)}, [3]string{"Accepted", "!ClusterNotReady", "!ClusterNotReady"}},
		"service gone later":   {finding{verdict: bad(federator.FormWhole, api.CauseClusterNotReady), gateway: true}, [3]string{"Accepted", "Programmed", "!ClusterNotReady"}},
		"object of another":    {finding{verdict: bad(federator.FormNone, api.CauseConflict)}, [3]string{"Accepted", "!Conflict", "!Conflict"}},
		"a deleted one stays":  {finding{verdict: bad(federator.FormWhole, api.CauseNotWithdrawn), gateway: true}, [3]string{"Accepted", "!NotWithdrawn", "!NotWithdrawn"}},
		"that found second":    {finding{verdict: bad(federator.FormWhole, api.CauseClusterNotReady, api.CauseNotWithdrawn), gateway: true}, [3]string{"Accepted", "!NotWithdrawn", "!NotWithdrawn"}},
		"a part, and opened":   {finding{verdict: bad(federator.FormPart, api.CausePeerNotFound, api.CauseConflict), gateway: true}, [3]string{"PartiallyAccepted", "!Conflict", "!Conflict"}},
		"field seized":         {finding{verdict: bad(federator.FormWhole, api.CauseConflict), gateway: true}, [3]string{"Accepted", "!Conflict", "!Conflict"}},
		"cluster bars an edit": {finding{verdict: bad(federator.FormEarlier, api.CauseConflict), gateway: true}, [3]string{"Accepted", "!Conflict", "!Conflict"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got [3]string
			for i, s := range c.finding.states() {
				assert.Contains(t, crd.Reasons(), s.reason, "a reason outside the closed list")
				assert.NotEmpty(t, s.message)
				got[i] = string(s.reason)
				if s.status != metav1.ConditionTrue {
					got[i] = "!" + got[i]
				}
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestEveryCauseHasAReasonOfItsOwn(t *testing.T) {
	seen := map[crd.Reason]api.Cause{}
	for _, c := range []api.Cause{
		api.CauseInvalid, api.CausePeerNotFound, api.CausePathClaimed, api.CauseHostClaimed, api.CauseIdentityClaimed,
		api.CauseIdentityChanged, api.CausePathNotOffered, api.CauseNoGateway, api.CauseClusterNotReady, api.CauseConflict, api.CauseNotWithdrawn,
		api.CauseNoMesh, causeSecondMesh, causeNotManaged,
	} {
		r := reasonOf(c)
		assert.NotContains(t, seen, r, "%q and %q", c, seen[r])
		assert.Contains(t, crd.Reasons(), r)
		seen[r] = c
	}
}

func TestARefusedEditSaysThatTheVersionBeforeStays(t *testing.T) {
	f := finding{verdict: federator.Verdict{Form: federator.FormEarlier,
		Problems: []federator.Problem{{Field: "spec.path", Reason: "taken", Cause: api.CausePathClaimed}}}}
	assert.Equal(t, "spec.path: taken; the version before stays in force", f.message())
}
