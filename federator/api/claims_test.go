package api_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
)

// The quick check of overlaps finds what the obvious one finds: each pair
// compared, the first of those in the way named.
func TestOverlapsAreThoseOfAComparisonOfEachPair(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		spec := exposing(random, 1+random.IntN(12))
		var got []string
		err := api.Validate(spec)
		var invalid *api.ValidationError
		if err != nil {
			require.ErrorAs(t, err, &invalid)
			for _, p := range invalid.Problems {
				got = append(got, p.Declaration+" "+p.Reason)
			}
		}
		want := pairwise(spec)
		require.Len(t, got, len(want), "%v", got)
		for i := range want {
			require.Contains(t, got[i], want[i])
		}
	}
}

// exposing makes n exposures under short paths of three letters, which collide.
func exposing(random *rand.Rand, n int) api.Spec {
	spec := api.Spec{}
	spec.Mesh.Name, spec.Mesh.Spec.Host = "c2", "c2.example.com"
	spec.Mesh.Spec.Ingress = &api.Gateway{Namespace: "gateways", Service: "in", Selector: map[string]string{"a": "b"}, Port: 1, CredentialName: "c"}
	peer := api.Peer{Spec: api.PeerSpec{ClientIdentity: "spiffe://c1.example.com/egress"}}
	peer.Name = "c1"
	spec.Peers = []api.Peer{peer}
	for i := range n {
		var path strings.Builder
		path.WriteString("/")
		for range 1 + random.IntN(3) {
			path.WriteString(strings.Repeat(string(rune('a'+random.IntN(2))), 1+random.IntN(2)) + "/")
		}
		e := api.Exposure{Spec: api.ExposureSpec{Service: api.Service{Name: "s", Port: 1}, Path: path.String(),
			Consumers: []api.Consumer{{Peer: "c1", Methods: []string{"GET"}}}}}
		e.Name, e.Namespace = fmt.Sprintf("e%d", i), "n"
		spec.Exposures = append(spec.Exposures, e)
	}
	return spec
}

func pairwise(spec api.Spec) []string {
	var out []string
	for i, e := range spec.Exposures {
		for _, other := range spec.Exposures[:i] {
			mine, theirs := e.Spec.Path, other.Spec.Path
			if strings.HasPrefix(mine, theirs) || strings.HasPrefix(theirs, mine) {
				out = append(out, fmt.Sprintf("overlaps %s of %s;", theirs, other.Key()))
				break
			}
		}
	}
	return out
}
