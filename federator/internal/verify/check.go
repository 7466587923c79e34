package verify

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/envoy"
)

// Side is which of the private gateways. The set is closed.
type Side string

// The sides.
const (
	Ingress Side = "ingress"
	Egress  Side = "egress"
)

// Dump is the configuration of one pod of a gateway.
type Dump struct {
	Side Side
	// Pod it is of.
	Pod string
	// Port on which the pod gets what comes to the gateway's declared port: the
	// target port of its Service.
	Port   int
	Config envoy.Config
}

// Input is all that is judged.
type Input struct {
	// Spec is a valid wish.
	Spec api.Spec
	// Wanted are the objects of the wish (rendered, and nothing done to them since).
	Wanted []*unstructured.Unstructured
	// Objects are those of the cluster that may bear on the boundary; see Bearing.
	// Those of Wanted that exist are among them, and so are the gateways' pods.
	Objects []unstructured.Unstructured
	// Dumps of each ready pod of each declared gateway.
	Dumps []Dump
	// Now is when certificates are to be valid.
	Now time.Time
}

// Check holds the cluster against the wish. The findings are sorted.
func Check(in Input) Report {
	c := &checker{Input: in, report: Report{Mesh: in.Spec.Mesh.Name, Findings: []Finding{}}}
	c.objects()
	for _, s := range sides(in.Spec) {
		c.pods(s)
	}
	slices.SortStableFunc(c.report.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Declaration, b.Declaration), cmp.Compare(a.Detail, b.Detail))
	})
	c.report.Findings = slices.Compact(c.report.Findings)
	return c.report
}

type checker struct {
	Input
	report Report
}

func (c *checker) find(f Finding) { c.report.Findings = append(c.report.Findings, f) }
