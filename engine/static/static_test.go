package static

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/fixtures/seed"
)

// paired is what the owner of a mesh of the seed declares before any service.
func paired(name string) string {
	return strings.ReplaceAll(`apiVersion: federation.meshfed.io/v1alpha1
kind: Mesh
metadata: {name: NAME}
spec:
  host: NAME.example.com
  ingress:
    namespace: istio-private-gateways
    service: istio-private-ingressgateway
    selector: {istio: private-ingressgateway}
    port: 15443
    credentialName: lab-ingress-certs
  egress:
    namespace: istio-private-gateways
    service: istio-private-egressgateway
    selector: {istio: private-egressgateway}
    port: 443
    credentialName: lab-egress-certs
---
apiVersion: federation.meshfed.io/v1alpha1
kind: Peer
metadata: {name: c1}
spec:
  clientIdentity: spiffe://c1.example.com/istio-private-egressgateway
---
apiVersion: federation.meshfed.io/v1alpha1
kind: Peer
metadata: {name: c2}
spec:
  clientIdentity: spiffe://c2.example.com/istio-private-egressgateway
  serverIdentity: spiffe://c2.example.com/istio-private-ingressgateway
  address: {host: "172.30.2.7", port: 15444}
  sni: c2.example.com
---
apiVersion: federation.meshfed.io/v1alpha1
kind: Peer
metadata: {name: c3}
spec:
  clientIdentity: spiffe://c3.example.com/istio-private-egressgateway
---
`, "NAME", name)
}

func steps(t *testing.T) repertoire {
	t.Helper()
	r, err := load()
	require.NoError(t, err)
	return r
}

func declarations(t *testing.T, step string) string {
	t.Helper()
	s, known := steps(t).steps[step]
	require.True(t, known, step)
	return paired(s.Cluster) + s.Declarations
}

// kinds of objects, in the order in which they are applied.
func kinds(objects []*unstructured.Unstructured) (all []string) {
	for _, o := range objects {
		all = append(all, o.GetKind()+" "+o.GetName())
	}
	return all
}

func TestEachStepIsAskedForByItsDeclarationsWhateverTheyAreCalledAndInWhateverOrder(t *testing.T) {
	r := steps(t)
	require.NotEmpty(t, r.steps)
	for name, s := range r.steps {
		t.Run(name, func(t *testing.T) {
			documents := strings.Split(s.Declarations, "---\n")
			slices.Reverse(documents)
			other := regexp.MustCompile(`metadata: \{name: [a-z0-9-]+`).ReplaceAllString(strings.Join(documents, "---\n"), "metadata: {name: other")
			objects, err := r.wanted(paired(s.Cluster) + other)
			require.NoError(t, err)
			again, err := r.wanted(paired(s.Cluster) + s.Declarations)
			require.NoError(t, err)
			assert.Equal(t, kinds(again), kinds(objects))
			for _, o := range objects {
				assert.Equal(t, fieldManager, o.GetLabels()[markLabel], "%s can be found again", o.GetName())
				text, err := o.MarshalJSON()
				require.NoError(t, err)
				assert.NotContains(t, string(text), "$")
			}
		})
	}
}

func TestEachStepNamesTheSectionOfTheSeedAndWhatItIs(t *testing.T) {
	all, err := seed.Steps()
	require.NoError(t, err)
	for _, s := range all {
		assert.NotEmpty(t, s.Section, s.Name)
		head, _, _ := strings.Cut(s.Manifests, "apiVersion:")
		words := strings.Join(strings.Fields(strings.ReplaceAll(head, "#", " ")), " ")
		assert.Contains(t, words, `"`+s.Section+`"`, "%s: its comment names its section", s.Name)
	}
}

func TestALaterStepIsAppliedOverTheOnesBeforeIt(t *testing.T) {
	r := steps(t)
	before, err := r.wanted(declarations(t, "consume-reviews-v2"))
	require.NoError(t, err)
	after, err := r.wanted(declarations(t, "canary-jason"))
	require.NoError(t, err)
	assert.Equal(t, kinds(before), kinds(after))
	assert.NotEqual(t, before[len(before)-1].Object, after[len(after)-1].Object, "the route is another")
	assert.Equal(t, before[0].Object, after[0].Object, "the peer is the same")
}

func TestWhatOnlyTheLabKnowsIsTakenFromTheDeclarations(t *testing.T) {
	objects, err := steps(t).wanted(declarations(t, "canary-all"))
	require.NoError(t, err)
	var text strings.Builder
	for _, o := range objects {
		one, err := o.MarshalJSON()
		require.NoError(t, err)
		text.Write(one)
	}
	for _, value := range []string{`"address":"172.30.2.7"`, `"targetPort":15444`, `"credentialName":"lab-egress-certs"`, `"spiffe://c2.example.com/istio-private-ingressgateway"`} {
		assert.Contains(t, text.String(), value)
	}
}

func TestThePolicyIsThereBeforeTheListenerAndLongerThanIt(t *testing.T) {
	r := steps(t)
	for name, s := range r.steps {
		if s.Cluster != "c2" {
			continue
		}
		objects, err := r.wanted(paired("c2") + s.Declarations)
		require.NoError(t, err)
		assert.Equal(t, "AuthorizationPolicy", objects[0].GetKind(), name)
		for _, o := range objects[1:] {
			assert.Less(t, turnOf(o), turnOf(objects[0]), "%s: %s goes first", name, o.GetKind())
		}
	}
}

func TestAMeshWithoutServicesHoldsNothing(t *testing.T) {
	objects, err := steps(t).wanted(paired("c2"))
	require.NoError(t, err)
	assert.Empty(t, objects)
}

// SAD PATHS: what is no step of the seed is said to be so; what is wrong in
// itself is an error of another kind.
func TestWhatIsNoStepOfTheSeedIsBeyondTheRepertoire(t *testing.T) {
	expose, consume := declarations(t, "expose-reviews-v2"), declarations(t, "canary-all")
	for name, c := range map[string]struct {
		text, from, to, want string
		beyond               bool
	}{
		"another path":             {expose, "myreviews/v2/", "myreviews/v9/", "the seed has no step in c2 with", true},
		"another method":           {expose, "methods: [GET]", "methods: [GET, POST]", "the seed has no step", true},
		"an unknown field":         {expose, "  path:", "  retries: 3\n  path:", "the seed has no step", true},
		"one more exposure":        {expose, "apiVersion", "apiVersion: federation.meshfed.io/v1alpha1\nkind: Exposure\nmetadata: {name: x, namespace: bookinfo}\n---\napiVersion", "the seed has no step", true},
		"another mesh's step":      {expose, "name: c2}\nspec:\n  host: c2.", "name: c1}\nspec:\n  host: c1.", "the seed has no step in c1", true},
		"another kind":             {expose, "kind: Exposure", "kind: Import", "no such kind", true},
		"another version":          {expose, "v1alpha1", "v1", "apiVersion", true},
		"a mesh that is no seed's": {expose, "port: 15443", "port: 443", "not laid out", true},
		"an unknown field of it":   {expose, "  host: c2", "  clusterDomain: x\n  host: c2", "unknown field", true},
		"a fourth cluster":         {expose, "metadata: {name: c3}", "metadata: {name: c4}", "none of the clusters", true},
		"an identity in disguise":  {expose, "spiffe://c3.", "spiffe://c1.", "none of the clusters", true},
		"another SNI":              {consume, "sni: c2.", "sni: c3.", "SNI", true},
		"a host with a name":       {consume, `"172.30.2.7"`, "gateway.example.com", "hold an IP address", true},
		"no mesh":                  {expose, "kind: Mesh\nmetadata: {name: c2}", "kind: Exposure\nmetadata: {name: c2}", "there is no Mesh", true},
		"what YAML would read":     {consume, "lab-egress-certs", `"x, mode: SIMPLE"`, "cannot stand for", true},
		"a peer that is not there": {expose, "metadata: {name: c1}\nspec:\n  clientIdentity: spiffe://c1.example.com/istio-private-egressgateway", "metadata: {name: c3}\nspec:\n  clientIdentity: spiffe://c3.example.com/istio-private-egressgateway", "a second Peer", false},
		"a callee without name":    {consume, "  serverIdentity: spiffe://c2.example.com/istio-private-ingressgateway\n", "", "without an address and a serverIdentity", false},
		"a mesh too many":          {expose, "apiVersion", "apiVersion: federation.meshfed.io/v1alpha1\nkind: Mesh\nmetadata: {name: c1}\nspec: {}\n---\napiVersion", "Mesh", true},
		"no YAML":                  {expose, "kind: Mesh", "kind: [", "document 1", false},
		"a mountain":               {expose, "kind: Mesh", "kind: " + strings.Repeat("x", maxDeclarations), "at most", false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, c.text, c.from)
			_, err := steps(t).wanted(strings.Replace(c.text, c.from, c.to, 1))
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, c.beyond, errors.Is(err, engine.ErrUnsupported), "%v", err)
		})
	}
}

func TestAPeerThatIsSpokenOfAndNotDeclaredIsAnError(t *testing.T) {
	const c1 = `apiVersion: federation.meshfed.io/v1alpha1
kind: Peer
metadata: {name: c1}
spec:
  clientIdentity: spiffe://c1.example.com/istio-private-egressgateway
---
`
	all := declarations(t, "expose-reviews-v2")
	require.Contains(t, all, c1)
	_, err := steps(t).wanted(strings.Replace(all, c1, "", 1))
	require.ErrorContains(t, err, "the peer c1, which is not declared")
	assert.NotErrorIs(t, err, engine.ErrUnsupported)
}
