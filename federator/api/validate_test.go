package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/api/apitest"
)

const valid = apitest.Valid

func TestAValidWishIsAccepted(t *testing.T) {
	spec, err := api.Parse("wish.yaml", strings.NewReader(valid))
	require.NoError(t, err)
	assert.Equal(t, "c1", spec.Mesh.Name)
	assert.Len(t, spec.Peers, 1)
	assert.Len(t, spec.Exposures, 1)
	assert.Len(t, spec.Consumptions, 1)
}

// SAD PATHS: each row replaces one piece of the valid wish and names the line,
// the field and a piece of the reason that must come back.
func TestABadWishIsRefusedWithPlaceAndReason(t *testing.T) {
	for name, c := range apitest.Bad() {
		t.Run(name, func(t *testing.T) {
			text := c.Text()
			require.NotEqual(t, valid, text, "the row replaces nothing")
			_, err := api.Parse("wish.yaml", strings.NewReader(text))
			require.ErrorContains(t, err, c.Want)
			var bad *api.ValidationError
			require.ErrorAs(t, err, &bad)
		})
	}
}

func TestTwoDeclarationsThatClaimTheSameAreRefused(t *testing.T) {
	doc := func(i int) string { return "---\n" + strings.Split(valid, "---\n")[i] }
	rename := func(text, old, name string) string { return strings.Replace(text, old, name, 1) }
	cases := map[string]struct{ extra, want string }{
		"same name":            {doc(2), "declared twice; first at wish.yaml:20"},
		"same prefix":          {rename(doc(2), "name: reviews", "name: other"), "overlaps /bookinfo/reviews/ of Exposure/bookinfo/reviews"},
		"prefix inside":        {rename(rename(doc(2), "name: reviews", "name: other"), "/bookinfo/reviews/", "/bookinfo/reviews/v2/"), "overlaps"},
		"prefix around":        {rename(rename(doc(2), "name: reviews", "name: other"), "/bookinfo/reviews/", "/bookinfo/"), "overlaps"},
		"same local name":      {rename(doc(3), "name: ratings", "name: other"), "one name has one owner"},
		"same client identity": {rename(rename(doc(1), "name: c2", "name: c3"), "sni: c2", "sni: c3"), "peer c2 has it already"},
		"path not offered":     {strings.Replace(rename(rename(doc(1), "name: c2", "name: c3"), "c2.example.com", "c3.example.com"), "  sni:", "  offers: [/other/]\n  sni:", 1) + rename(rename(rename(doc(3), "name: ratings", "name: other"), "name: ratings", "name: other"), "peer: c2", "peer: c3"), "peer c3 does not offer it; it offers /other/"},
		"same sni":             {rename(rename(doc(1), "name: c2", "name: c3"), "c2.example.com/egress", "c3.example.com/egress"), "peer c2 has it already"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := api.Parse("wish.yaml", strings.NewReader(valid+c.extra))
			require.ErrorContains(t, err, c.want)
		})
	}
}

// Whoever comes second is refused, whether it claims the name by its SNI or by an
// entrance: the first one may be in force.
func TestANameIsItsFirstPeersWhateverTheSecondOneWantsItFor(t *testing.T) {
	spec, err := api.Parse("wish.yaml", strings.NewReader(valid))
	require.NoError(t, err)
	const host = "shared.c1.example.com"
	spec.Peers[0].Spec.Ingress = &api.PeerIngress{Host: host, CredentialName: "c2-certs"}
	other := api.Peer{}
	other.Name = "other"
	other.Spec = api.PeerSpec{ServerIdentity: "spiffe://other.example.com/in", SNI: host, Address: &api.Address{Host: "192.0.2.9", Port: 15443}}
	for name, row := range map[string]struct {
		peers              []api.Peer
		declaration, field string
	}{
		"a host and then an SNI": {[]api.Peer{spec.Peers[0], other}, "Peer/other", "spec.sni"},
		"an SNI and then a host": {[]api.Peer{other, spec.Peers[0]}, "Peer/c2", "spec.ingress.host"},
	} {
		t.Run(name, func(t *testing.T) {
			spec.Peers = row.peers
			var bad *api.ValidationError
			require.ErrorAs(t, api.Validate(spec), &bad)
			require.Len(t, bad.Problems, 1)
			assert.Equal(t, row.declaration, bad.Problems[0].Declaration)
			assert.Equal(t, row.field, bad.Problems[0].Field)
			assert.Equal(t, api.CauseHostClaimed, bad.Problems[0].Cause)
		})
	}
}

func TestPrefixesThatOnlyStartAlikeAreAllowed(t *testing.T) {
	extra := strings.Replace(strings.Split(valid, "---\n")[2], "name: reviews", "name: other", 1)
	extra = strings.Replace(extra, "/bookinfo/reviews/", "/bookinfo/reviews2/", 1)
	_, err := api.Parse("wish.yaml", strings.NewReader(valid+"---\n"+extra))
	require.NoError(t, err)
}

func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	text := strings.NewReplacer("methods: [GET]", "methods: [get]", "weight: 50}]", "weight: 5}]").Replace(valid)
	_, err := api.Parse("wish.yaml", strings.NewReader(text))
	var bad *api.ValidationError
	require.ErrorAs(t, err, &bad)
	assert.Len(t, bad.Problems, 2)
	for line := range strings.SplitSeq(err.Error(), "\n") {
		assert.Contains(t, line, "wish.yaml:")
	}
}
