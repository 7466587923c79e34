package admit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/admit"
)

// crowd draws declarations that want few names: paths, local names, server names,
// identities and entrances, so that many exclude each other.
func crowd(mesh api.Mesh, random *rand.Rand) api.Spec {
	out := api.Spec{Mesh: mesh}
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	for n := range 4 {
		if random.IntN(5) == 0 {
			continue
		}
		p := api.Peer{}
		p.Name = fmt.Sprintf("p%d", n)
		p.Spec = api.PeerSpec{ClientIdentity: "spiffe://" + one("a", "b", "c", "d") + "/in", ServerIdentity: "spiffe://x/" + p.Name,
			SNI: one("a", "b", "c", "d") + ".example.com", Address: &api.Address{Host: "192.0.2.1", Port: int32(1 + random.IntN(2))}}
		if random.IntN(3) == 0 {
			p.Spec.Ingress = &api.PeerIngress{Host: one("a", "b", "e") + ".example.com", CredentialName: one("k", "l", "k-cacert")}
		}
		p.Annotations = map[string]string{api.AnnotationConfirmIdentity: "spiffe://a/in,spiffe://b/in,spiffe://c/in,spiffe://d/in"}
		out.Peers = append(out.Peers, p)
	}
	for n := range 4 {
		e := api.Exposure{Spec: api.ExposureSpec{Service: api.Service{Name: "s", Port: 1}, Path: one("/a/", "/a/b/", "/b/", "/c/", "/c//d/")}}
		e.Namespace, e.Name = "n", fmt.Sprintf("e%d", n)
		for _, peer := range random.Perm(4)[:1+random.IntN(2)] {
			e.Spec.Consumers = append(e.Spec.Consumers, api.Consumer{Peer: fmt.Sprintf("p%d", peer), Methods: []string{one("GET", "POST")}})
		}
		c := api.Consumption{Spec: api.ConsumptionSpec{Service: api.Service{Name: one("x", "y", "z"), Port: 1}, From: api.From{Peer: fmt.Sprintf("p%d", random.IntN(4)), Path: one("/a/", "/b/")},
			Routes: []api.Route{{To: []api.Destination{{Target: api.TargetRemote, Weight: 100}}}}}}
		c.Namespace, c.Name = "n", fmt.Sprintf("c%d", n)
		out.Exposures, out.Consumptions = append(out.Exposures, e), append(out.Consumptions, c)
	}
	random.Shuffle(len(out.Exposures), func(i, j int) { out.Exposures[i], out.Exposures[j] = out.Exposures[j], out.Exposures[i] })
	random.Shuffle(len(out.Peers), func(i, j int) { out.Peers[i], out.Peers[j] = out.Peers[j], out.Peers[i] })
	return out
}

// Whatever is in force and whatever is wished for, nobody gets what another one
// has in force and still asks for.
func TestNobodyLosesToAnotherWhatHeHasAndStillAsksFor(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	mesh, contested := seed(t).Mesh, 0
	for range 1000 {
		before, err := admit.Decide(admit.Input{Wish: crowd(mesh, random)})
		require.NoError(t, err)
		in := admit.Input{Wish: crowd(mesh, random), Held: before.Spec, Vetoed: map[api.Key][]api.Problem{}}
		if random.IntN(2) == 0 {
			in.Vetoed[in.Wish.Exposures[0].Key()] = []api.Problem{{Reason: "not now"}}
		}
		got, err := admit.Decide(in)
		require.NoError(t, err)
		require.NoError(t, api.Validate(got.Spec))
		for _, held := range in.Held.Exposures {
			if in.Vetoed[held.Key()] != nil && got.Rulings[held.Key()].Form == admit.FormNone {
				continue // it has changed hands entirely: nothing of it may stay
			}
			if !slices.ContainsFunc(in.Wish.Exposures, func(e api.Exposure) bool {
				return e.Key() == held.Key() && e.Spec.Path == held.Spec.Path && slices.ContainsFunc(e.Spec.Consumers, func(c api.Consumer) bool {
					_, there := got.Spec.Peer(c.Peer)
					return there
				})
			}) {
				continue
			}
			for _, e := range got.Spec.Exposures {
				overlaps := strings.HasPrefix(e.Spec.Path, held.Spec.Path) || strings.HasPrefix(held.Spec.Path, e.Spec.Path)
				require.False(t, e.Key() != held.Key() && overlaps, "%s took %s of %s", e.Key(), e.Spec.Path, held.Key())
			}
			contested++
		}
		for _, held := range in.Held.Consumptions {
			for _, c := range got.Spec.Consumptions {
				wished := slices.ContainsFunc(in.Wish.Consumptions, func(o api.Consumption) bool {
					_, there := got.Spec.Peer(o.Spec.From.Peer)
					return there && o.Key() == held.Key() && o.Spec.Service == held.Spec.Service
				})
				require.False(t, wished && c.Key() != held.Key() && c.Spec.Service == held.Spec.Service, "%s took the name of %s", c.Key(), held.Key())
			}
		}
		for _, held := range in.Held.Peers {
			i := slices.IndexFunc(in.Wish.Peers, func(o api.Peer) bool { return o.Name == held.Name })
			if i < 0 {
				continue
			}
			for _, p := range got.Spec.Peers {
				if p.Name != held.Name {
					require.Empty(t, taken(names(p.Spec), names(held.Spec), names(in.Wish.Peers[i].Spec)), "Peer/%s took it from Peer/%s", p.Name, held.Name)
				}
			}
		}
	}
	require.Greater(t, contested, 100, "the crowd is too sparse to show anything")
}

// names are what no two peers can both have.
func names(p api.PeerSpec) []string {
	out := []string{"host " + p.SNI, p.ClientIdentity}
	if p.Ingress != nil {
		out = append(out, "host "+p.Ingress.Host, "roots "+strings.TrimSuffix(p.Ingress.CredentialName, "-cacert"))
	}
	return out
}

// taken are the names that stand in all lists.
func taken(lists ...[]string) []string {
	return slices.DeleteFunc(slices.Clone(lists[0]), func(n string) bool {
		return slices.ContainsFunc(lists, func(l []string) bool { return !slices.Contains(l, n) })
	})
}
