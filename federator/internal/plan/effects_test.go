package plan_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/plan"
)

func wish(t *testing.T, name string, edits ...string) api.Spec {
	t.Helper()
	spec, err := api.Load("../../testdata/seed/" + name + ".yaml")
	require.NoError(t, err)
	for i := 0; i+1 < len(edits); i += 2 {
		spec = edit(spec, edits[i], edits[i+1])
	}
	return spec
}

// edit changes one thing in the first exposure or the first consumption.
func edit(s api.Spec, what, value string) api.Spec {
	switch what {
	case "subset":
		s.Exposures[0].Spec.Service.Subset = value
	case "methods":
		s.Exposures[0].Spec.Consumers[0].Methods = strings.Split(value, ",")
	case "paths":
		s.Exposures[0].Spec.Consumers[0].Paths = strings.Split(value, ",")
	case "roots":
		gateway := *s.Mesh.Spec.Ingress
		gateway.CredentialName = value
		s.Mesh.Spec.Ingress = &gateway
	case "host":
		s.Mesh.Spec.Host = value
	case "peer":
		s.Exposures[0].Spec.Consumers[0].Peer = value
	case "identity":
		s.Peers[0].Spec.ClientIdentity = value
	case "entrance":
		s.Peers[0].Spec.Ingress = &api.PeerIngress{Host: value, CredentialName: "certs-of-c1"}
	case "only":
		s.Exposures = s.Exposures[:min(1, len(s.Exposures))]
		s.Consumptions = s.Consumptions[:min(1, len(s.Consumptions))]
	case "canary":
		last := len(s.Consumptions[0].Spec.Routes) - 1
		s.Consumptions[0].Spec.Routes[last].To = []api.Destination{
			{Target: api.TargetLocal, Subset: "v1", Weight: 50}, {Target: api.TargetRemote, Weight: 50}}
	}
	return s
}

const c1 = "peer c1 (spiffe://c1.example.com/istio-private-egressgateway)"

func TestTheBlastRadiusIsToldInWords(t *testing.T) {
	cases := map[string]struct {
		old  []api.Spec
		wish api.Spec
		want []string
	}{
		"nothing changes": {[]api.Spec{wish(t, "c2")}, wish(t, "c2"), []string{}},
		"first apply": {nil, wish(t, "c2", "only", ""), []string{
			c1 + " gains GET /bookinfo/myreviews/v2/, to myreviews.bookinfo:9080 subset v2"}},
		"methods are told together": {nil, wish(t, "c2", "only", "", "methods", "POST,GET"), []string{
			c1 + " gains GET, POST /bookinfo/myreviews/v2/, to myreviews.bookinfo:9080 subset v2"}},
		"cancel": {[]api.Spec{wish(t, "c2", "only", "")}, api.Spec{}, []string{
			c1 + " loses GET /bookinfo/myreviews/v2/, to myreviews.bookinfo:9080 subset v2"}},
		"another subset": {[]api.Spec{wish(t, "c2", "only", "")}, wish(t, "c2", "only", "", "subset", "v3"), []string{
			c1 + " keeps GET /bookinfo/myreviews/v2/, now to myreviews.bookinfo:9080 subset v3, was myreviews.bookinfo:9080 subset v2"}},
		"a folder is left of which a part was granted": {[]api.Spec{wish(t, "c2", "only", "", "paths", "v1/,v1/admin,v2")}, wish(t, "c2", "only", "", "paths", "v1/"), []string{
			c1 + " loses GET /bookinfo/myreviews/v2/v2, to myreviews.bookinfo:9080 subset v2"}},
		"a part of the prefix is left": {[]api.Spec{wish(t, "c2", "only", "")}, wish(t, "c2", "only", "", "paths", "a/"), []string{
			c1 + " loses GET /bookinfo/myreviews/v2/, to myreviews.bookinfo:9080 subset v2"}},
		"a name that only begins alike": {[]api.Spec{wish(t, "c2", "only", "", "paths", "a")}, wish(t, "c2", "only", "", "paths", "a/b"), []string{
			c1 + " loses GET /bookinfo/myreviews/v2/a, to myreviews.bookinfo:9080 subset v2",
			c1 + " gains GET /bookinfo/myreviews/v2/a/b, to myreviews.bookinfo:9080 subset v2"}},
		"a folder leads elsewhere": {[]api.Spec{wish(t, "c2", "only", "", "paths", "a/b")}, wish(t, "c2", "only", "", "paths", "a/", "subset", "v3"), []string{
			c1 + " keeps GET /bookinfo/myreviews/v2/a/b, now to myreviews.bookinfo:9080 subset v3, was myreviews.bookinfo:9080 subset v2",
			c1 + " gains GET /bookinfo/myreviews/v2/a/, to myreviews.bookinfo:9080 subset v3"}},
		"only one of two wishes had the folder": {[]api.Spec{wish(t, "c2", "only", "", "paths", "a/"), wish(t, "c2", "only", "", "paths", "b")}, wish(t, "c2", "only", "", "paths", "a/x"), []string{
			c1 + " loses GET /bookinfo/myreviews/v2/a/, to myreviews.bookinfo:9080 subset v2",
			c1 + " loses GET /bookinfo/myreviews/v2/b, to myreviews.bookinfo:9080 subset v2",
			c1 + " gains GET /bookinfo/myreviews/v2/a/x, to myreviews.bookinfo:9080 subset v2"}},
		"other roots for all peers": {[]api.Spec{wish(t, "c2", "only", "")}, wish(t, "c2", "only", "", "roots", "other"), []string{
			"Mesh/c2: peers without an entrance of their own come in at c2.example.com now, by the roots in Secret other, was at c2.example.com, by c2-example-com-certs"}},
		"another host": {[]api.Spec{wish(t, "c2", "only", "")}, wish(t, "c2", "only", "", "host", "new.example.com"), []string{
			"Mesh/c2: peers without an entrance of their own come in at new.example.com now, by the roots in Secret c2-example-com-certs, was at c2.example.com, by c2-example-com-certs"}},
		"other roots, and nobody comes in by them": {[]api.Spec{wish(t, "c2", "only", "", "entrance", "c1.c2.example.com")}, wish(t, "c2", "only", "", "entrance", "c1.c2.example.com", "roots", "other"), []string{}},
		"another peer": {[]api.Spec{wish(t, "c2", "only", "")}, wish(t, "c2", "only", "", "peer", "c3"), []string{
			c1 + " loses GET /bookinfo/myreviews/v2/, to myreviews.bookinfo:9080 subset v2",
			"peer c3 (spiffe://c3.example.com/istio-private-egressgateway) gains GET /bookinfo/myreviews/v2/, to myreviews.bookinfo:9080 subset v2"}},
		"another identity of the same peer": {[]api.Spec{wish(t, "c2", "only", "")}, wish(t, "c2", "only", "", "identity", "spiffe://evil.example/x"), []string{
			c1 + " loses GET /bookinfo/myreviews/v2/, to myreviews.bookinfo:9080 subset v2",
			"peer c1 (spiffe://evil.example/x) gains GET /bookinfo/myreviews/v2/, to myreviews.bookinfo:9080 subset v2"}},
		"an entrance of its own": {[]api.Spec{wish(t, "c2", "only", "")}, wish(t, "c2", "only", "", "entrance", "c1.c2.example.com"), []string{
			c1 + " loses GET /bookinfo/myreviews/v2/, to myreviews.bookinfo:9080 subset v2",
			c1[:len(c1)-1] + ", alone at c1.c2.example.com, by the roots in Secret certs-of-c1) gains GET /bookinfo/myreviews/v2/, to myreviews.bookinfo:9080 subset v2"}},
		"canary": {[]api.Spec{wish(t, "c1", "only", "")}, wish(t, "c1", "only", "", "canary", ""), []string{
			"workloads of namespace default: reviews:9080 now goes 50% to the local service's subset v1 and 50% to peer c2 at c2.example.com/bookinfo/myreviews/v2/ (spiffe://c2.example.com/istio-private-ingressgateway, 172.30.2.1:15443), was 100% to the local service's subset v1"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if len(c.wish.Exposures) == 1 {
				c.wish.Consumptions = nil
			}
			got := []string{}
			for _, e := range plan.Effects(c.old, c.wish) {
				got = append(got, e.Sentence)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// After an apply that stopped half-way both wishes may be in force: what only
// one of them had counts as gained when wanted and as lost when not.
func TestAnUnfinishedApplyIsMeasuredAgainstBothWishes(t *testing.T) {
	before, intended := wish(t, "c2", "only", ""), wish(t, "c2")
	gains := plan.Effects([]api.Spec{before, intended}, intended)
	require.NotEmpty(t, gains)
	for _, e := range gains {
		assert.Equal(t, plan.Gains, e.Kind)
		assert.Contains(t, e.Sentence, "/bookinfo/ratings/v1/")
	}
	losses := plan.Effects([]api.Spec{before, intended}, before)
	require.NotEmpty(t, losses)
	for _, e := range losses {
		assert.Equal(t, plan.Loses, e.Kind)
	}
}
