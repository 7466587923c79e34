package render

import (
	"fmt"
	"strings"

	"istio.io/api/annotation"
	securityapi "istio.io/api/security/v1beta1"
	typeapi "istio.io/api/type/v1beta1"
	security "istio.io/client-go/pkg/apis/security/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/federator/api"
)

// defaultDeny closes a gateway: an ALLOW policy without rules admits nobody. It
// stands on its own, beside the grants, so that removing the last grant leaves
// the gateway shut and not unguarded. That it has no rules is written explicitly: one rule of
// somebody else's would make it admit everybody.
func (r *renderer) defaultDeny(g api.Gateway, name string) {
	r.policy(r.policyMeta(RoleDefaultDeny, g, name, r.spec.Mesh.Key()), g, nil, explicit{[]any{}, []string{"rules"}})
}

func (r *renderer) grant(g api.Gateway, name string, by api.Key, rules []*securityapi.Rule) {
	r.policy(r.policyMeta(RoleGrant, g, name, by), g, rules)
}

// policy allows. Its action is set although it is the default: a grant that
// somebody turned into a DENY would leave the gateway to whatever it does not match.
func (r *renderer) policy(meta metav1.ObjectMeta, g api.Gateway, rules []*securityapi.Rule, defaults ...explicit) {
	r.add(&security.AuthorizationPolicy{
		TypeMeta:   typeMeta(istioSecurity, "AuthorizationPolicy"),
		ObjectMeta: meta,
		Spec:       securityapi.AuthorizationPolicy{Selector: selector(g), Rules: rules},
	}, append(defaults, explicit{"ALLOW", []string{"action"}})...)
}

// policyMeta sets the annotation istio.io/dry-run to false explicitly: with true, which
// somebody else could set without a conflict, Istio only logs what the policy would do.
func (r *renderer) policyMeta(role Role, g api.Gateway, name string, by api.Key) metav1.ObjectMeta {
	meta := r.meta(role, Name{g.Namespace, name}, by)
	meta.Annotations[annotation.IoIstioDryRun.Name] = "false"
	return meta
}

// exposureRules admit each consumer by the identity in its certificate, on the
// host of its entrance only, both as SNI and as authority: Envoy itself does not
// tie the two.
func (r *renderer) exposureRules(e api.Exposure) []*securityapi.Rule {
	mesh := r.spec.Mesh.Spec
	rules := make([]*securityapi.Rule, 0, len(e.Spec.Consumers))
	for _, c := range e.Spec.Consumers {
		peer := r.peers[c.Peer]
		host := mesh.Entrance(&peer).Host
		rules = append(rules, &securityapi.Rule{
			From: []*securityapi.Rule_From{{Source: &securityapi.Source{
				Principals: []string{api.Principal(peer.Spec.ClientIdentity)},
			}}},
			To: []*securityapi.Rule_To{{Operation: &securityapi.Operation{
				Hosts:   hosts(host, mesh.Ingress.Port),
				Methods: c.Methods,
				Paths:   allowedPaths(e.Spec.Path, c.Paths),
			}}},
			When: []*securityapi.Condition{{Key: "connection.sni", Values: []string{host}}},
		})
	}
	return rules
}

// hosts are the two spellings of one authority: clients that take it from a URL
// with a port send the port too, and must get the same answer.
func hosts(host string, port int32) []string {
	return []string{host, fmt.Sprintf("%s:%d", host, port)}
}

// allowedPaths is the whole prefix, or the declared paths below it. A trailing
// "/" covers what is below; anything else is exact.
func allowedPaths(prefix string, below []string) []string {
	if len(below) == 0 {
		return []string{prefix + "*"}
	}
	out := make([]string, len(below))
	for i, p := range below {
		out[i] = prefix + p
		if strings.HasSuffix(p, "/") {
			out[i] += "*"
		}
	}
	return out
}

// consumptionRules admit the workloads of the consuming namespace, for the one
// local name they consume.
func (r *renderer) consumptionRules(c api.Consumption) []*securityapi.Rule {
	fqdn := r.spec.Mesh.Spec.FQDN(c.Spec.Service.Name, c.Namespace)
	return []*securityapi.Rule{{
		From: []*securityapi.Rule_From{{Source: &securityapi.Source{Namespaces: []string{c.Namespace}}}},
		To:   []*securityapi.Rule_To{{Operation: &securityapi.Operation{Hosts: []string{fqdn}}}},
		When: []*securityapi.Condition{{Key: "connection.sni", Values: []string{fqdn}}},
	}}
}

func selector(g api.Gateway) *typeapi.WorkloadSelector {
	return &typeapi.WorkloadSelector{MatchLabels: g.Selector}
}
