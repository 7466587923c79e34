package preflight

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
)

// normalization is the only mode that refuses an escaped slash: the others pass
// /exposed/..%2fhidden to the backend, behind a policy that saw /exposed/.
const normalization = "DECODE_AND_MERGE_SLASHES"

// meshConfig is the part of Istio's MeshConfig that the boundary rests on.
type meshConfig struct {
	TrustDomain        string   `json:"trustDomain"`
	TrustDomainAliases []string `json:"trustDomainAliases"`
	RootNamespace      string   `json:"rootNamespace"`
	CACertificates     []any    `json:"caCertificates"`
	PathNormalization  struct {
		Normalization string `json:"normalization"`
	} `json:"pathNormalization"`
}

func meshConfigRef(spec api.Spec) kube.Ref {
	cp := spec.Mesh.Spec.ControlPlane
	return kube.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: cp.RootNamespace(), Name: cp.MeshConfigMap()}
}

// needsMeshConfig: a wish for nothing has no boundary that could rest on it.
func needsMeshConfig(spec api.Spec) bool { return len(spec.Exposures)+len(spec.Consumptions) > 0 }

func (k *checker) meshConfigured() {
	if !needsMeshConfig(k.spec) {
		return
	}
	subject := meshConfigRef(k.spec).String()
	if err := k.snap.meshConfigUnread; err != nil {
		k.problem(subject, "cannot be read: "+err.Error(), "give the engine the right to get it, or correct the Mesh's spec.controlPlane")
		return
	}
	if k.snap.meshConfig == nil {
		k.problem(subject, "not found", "install Istio, or name its namespace and revision in the Mesh's spec.controlPlane")
		return
	}
	text, _, _ := unstructured.NestedString(k.snap.meshConfig.Object, "data", "mesh")
	var cfg meshConfig
	if err := yaml.Unmarshal([]byte(text), &cfg); err != nil {
		k.problem(subject, "its key mesh is not YAML: "+err.Error(), "mend the mesh config")
		return
	}
	if got := cfg.PathNormalization.Normalization; got != normalization {
		if got == "" {
			got = "BASE, Istio's default"
		}
		k.problem(subject, "pathNormalization.normalization is "+got+", which lets escaped slashes leave an exposed path",
			"set meshConfig.pathNormalization.normalization to "+normalization)
	}
	if read := k.spec.Mesh.Spec.ControlPlane.RootNamespace(); cfg.RootNamespace != "" && cfg.RootNamespace != read {
		k.problem(subject, fmt.Sprintf("rootNamespace is %s: the policies and EnvoyFilters there apply at the gateways, and only those of %s are looked at", cfg.RootNamespace, read),
			"set meshConfig.rootNamespace to "+read+", and move what is mesh-wide there")
	}
	if len(cfg.CACertificates) > 0 && len(k.spec.Consumptions) > 0 {
		// A policy for a namespace takes callers of every trust domain.
		k.problem(subject, "caCertificates holds roots of others besides the mesh's own: at the egress gateway their workloads pass for ours if a consuming namespace has the name of theirs",
			"remove them from meshConfig.caCertificates; private gateways do not need them")
	}
	k.trustDomains(subject, cfg)
}

// trustDomains refuses peers that Istio would take for this mesh: a principal of
// the local trust domain, or of an alias, is widened to all of them, so a grant
// to the peer would admit local workloads and the other way round.
func (k *checker) trustDomains(subject string, cfg meshConfig) {
	own := cfg.TrustDomain
	if own == "" {
		own = "cluster.local"
	}
	for _, p := range k.spec.Peers {
		for _, id := range []string{p.Spec.ClientIdentity, p.Spec.ServerIdentity} {
			td := api.TrustDomain(id)
			switch {
			case td == "":
			case td == own:
				k.problemOf(p.Key(), "Peer/"+p.Name, fmt.Sprintf("%s is of this mesh's own trust domain", id),
					"give the peer's gateway an identity in a trust domain of its own")
			case slices.Contains(cfg.TrustDomainAliases, td):
				k.problemOf(p.Key(), subject, fmt.Sprintf("trustDomainAliases holds %s, the trust domain of Peer/%s: its identities would pass for local ones", td, p.Name),
					"remove it from trustDomainAliases; private gateways do not need it")
			}
		}
	}
}
