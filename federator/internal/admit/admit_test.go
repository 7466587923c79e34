package admit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/api/apitest"
	"github.com/meshfed/meshfed/federator/internal/admit"
)

// seed is the good wish with a second peer that may call reviews too.
func seed(t *testing.T) api.Spec {
	t.Helper()
	s, err := api.Parse("wish.yaml", strings.NewReader(apitest.Valid))
	require.NoError(t, err)
	c3 := api.Peer{TypeMeta: s.Peers[0].TypeMeta}
	c3.Name = "c3"
	c3.Spec.ClientIdentity = "spiffe://c3.example.com/egress"
	s.Peers = append(s.Peers, c3)
	s.Exposures[0].Spec.Consumers = append(s.Exposures[0].Spec.Consumers, api.Consumer{Peer: "c3", Methods: []string{"GET", "POST"}})
	require.NoError(t, api.Validate(s))
	return s
}

const (
	reviews = "Exposure/bookinfo/reviews"
	ratings = "Consumption/default/ratings"
)

func second(e api.Exposure, path string) api.Exposure {
	e.Name, e.Spec.Path = "second", path
	return e
}

// Each row changes what is in force into a wish with one fault; the rows say
// what becomes of each declaration that is not admitted whole, and why.
func TestABadDeclarationIsRefusedAndNothingElseDisturbed(t *testing.T) {
	type ruling struct {
		form  admit.Form
		cause api.Cause
	}
	cases := map[string]struct {
		change func(wish, held *api.Spec)
		want   map[string]ruling
	}{
		"two exposures on one path: the one in force stays": {
			func(w, _ *api.Spec) {
				w.Exposures = append([]api.Exposure{second(w.Exposures[0], w.Exposures[0].Spec.Path)}, w.Exposures...)
			},
			map[string]ruling{"Exposure/bookinfo/second": {admit.FormNone, api.CausePathClaimed}},
		},
		"two new exposures on one path: the first one wins": {
			func(w, h *api.Spec) {
				h.Exposures = nil
				w.Exposures = append(w.Exposures, second(w.Exposures[0], "/bookinfo/"))
			},
			map[string]ruling{"Exposure/bookinfo/second": {admit.FormNone, api.CausePathClaimed}},
		},
		"one in force moves to another's path: it stays where it was": {
			func(w, h *api.Spec) {
				h.Exposures = append(h.Exposures, second(h.Exposures[0], "/other/"))
				w.Exposures = append(w.Exposures, second(h.Exposures[0], "/other/"))
				w.Exposures[0].Spec.Path = "/other/v1/"
			},
			map[string]ruling{reviews: {admit.FormEarlier, api.CausePathClaimed}},
		},
		"one in force is edited while another one in force wants its path": {
			func(w, h *api.Spec) {
				h.Exposures = append([]api.Exposure{second(h.Exposures[0], "/other/")}, h.Exposures...)
				w.Exposures[0].Spec.Consumers = w.Exposures[0].Spec.Consumers[1:]
				w.Exposures = append([]api.Exposure{second(w.Exposures[0], w.Exposures[0].Spec.Path)}, w.Exposures...)
			},
			map[string]ruling{"Exposure/bookinfo/second": {admit.FormEarlier, api.CausePathClaimed}},
		},
		"one in force gets other consumers while a new one wants its path": {
			func(w, h *api.Spec) {
				h.Exposures[0].Spec.Consumers = h.Exposures[0].Spec.Consumers[:1]
				w.Exposures[0].Spec.Consumers = w.Exposures[0].Spec.Consumers[1:]
				w.Exposures = append([]api.Exposure{second(w.Exposures[0], w.Exposures[0].Spec.Path)}, w.Exposures...)
			},
			map[string]ruling{"Exposure/bookinfo/second": {admit.FormNone, api.CausePathClaimed}},
		},
		"one in force is refused another's path while a new one wants its own": {
			func(w, h *api.Spec) {
				h.Exposures = append(h.Exposures, second(h.Exposures[0], "/other/"))
				third := second(h.Exposures[0], h.Exposures[0].Spec.Path)
				third.Name = "third"
				w.Exposures = append([]api.Exposure{third}, append(w.Exposures, h.Exposures[1])...)
				w.Exposures[1].Spec.Path = "/other/v1/"
			},
			map[string]ruling{
				reviews:                   {admit.FormEarlier, api.CausePathClaimed},
				"Exposure/bookinfo/third": {admit.FormNone, api.CausePathClaimed},
			},
		},
		"a consumption in force is edited while another one in force wants its name": {
			func(w, h *api.Spec) {
				c := w.Consumptions[0]
				c.Name, c.Spec.Service.Name = "again", "other"
				h.Consumptions = append([]api.Consumption{c}, h.Consumptions...)
				c.Spec.Service.Name = w.Consumptions[0].Spec.Service.Name
				w.Consumptions[0].Spec.From.Path = "/bookinfo/ratings/v2/"
				w.Consumptions = append([]api.Consumption{c}, w.Consumptions...)
			},
			map[string]ruling{"Consumption/default/again": {admit.FormEarlier, api.CauseHostClaimed}},
		},
		"a peer in force is edited while another one in force wants its name": {
			func(w, h *api.Spec) {
				p := api.Peer{}
				p.Name = "alias"
				p.Spec = api.PeerSpec{ServerIdentity: "spiffe://alias.example.com/x", SNI: "alias.example.com", Address: &api.Address{Host: "192.0.2.9", Port: 1}}
				h.Peers = append([]api.Peer{p}, h.Peers...)
				p.Spec.SNI = w.Peers[0].Spec.SNI
				w.Peers[0].Spec.Address = &api.Address{Host: "192.0.2.10", Port: 1}
				w.Peers = append([]api.Peer{p}, w.Peers...)
			},
			map[string]ruling{"Peer/alias": {admit.FormEarlier, api.CauseIdentityClaimed}},
		},
		"a peer in force gets an entrance while a new one wants its identity": {
			func(w, _ *api.Spec) {
				p := w.Peers[1]
				p.Name = "alias"
				w.Peers[1].Spec.Ingress = &api.PeerIngress{Host: "c3.c1.example.com", CredentialName: "c3-certs"}
				w.Peers = append([]api.Peer{p}, w.Peers...)
			},
			map[string]ruling{"Peer/alias": {admit.FormNone, api.CauseIdentityClaimed}},
		},
		"two peers serve one local name": {
			func(w, _ *api.Spec) {
				c := w.Consumptions[0]
				c.Name = "again"
				w.Consumptions = append([]api.Consumption{c}, w.Consumptions...)
			},
			map[string]ruling{"Consumption/default/again": {admit.FormNone, api.CauseHostClaimed}},
		},
		"a second peer with the identity of one in force": {
			func(w, _ *api.Spec) {
				p := w.Peers[0]
				p.Name = "alias"
				w.Peers = append([]api.Peer{p}, w.Peers...)
			},
			map[string]ruling{"Peer/alias": {admit.FormNone, api.CauseIdentityClaimed}},
		},
		"a consumed path that is not offered": {
			func(w, h *api.Spec) { h.Consumptions = nil; w.Peers[0].Spec.Offers = []string{"/bookinfo/reviews/"} },
			map[string]ruling{ratings: {admit.FormNone, api.CausePathNotOffered}},
		},
		"a peer in use renames itself": {
			func(w, _ *api.Spec) { w.Peers[0].Spec.ClientIdentity = "spiffe://evil.example.com/egress" },
			map[string]ruling{"Peer/c2": {admit.FormEarlier, api.CauseIdentityChanged}},
		},
		"a peer loses its identity: only its own grant goes": {
			func(w, _ *api.Spec) {
				w.Peers[1].Spec.ClientIdentity = ""
				w.Peers[1].Spec.ServerIdentity = "spiffe://c3.example.com/in"
			},
			map[string]ruling{reviews: {admit.FormPart, api.CauseInvalid}},
		},
		"one of two peers is deleted": {
			func(w, _ *api.Spec) { w.Peers = w.Peers[:1] },
			map[string]ruling{reviews: {admit.FormPart, api.CausePeerNotFound}},
		},
		"the only peer of a consumption is deleted": {
			func(w, _ *api.Spec) { w.Peers = w.Peers[1:] },
			map[string]ruling{ratings: {admit.FormNone, api.CausePeerNotFound}, reviews: {admit.FormPart, api.CausePeerNotFound}},
		},
		"an entrance with the roots of all peers": {
			func(w, _ *api.Spec) {
				w.Peers[0].Spec.Ingress = &api.PeerIngress{Host: "c2.c1.example.com", CredentialName: "certs"}
			},
			map[string]ruling{"Peer/c2": {admit.FormEarlier, api.CauseIdentityClaimed}},
		},
		"an entrance by another one's host": {
			func(w, _ *api.Spec) {
				w.Peers[0].Spec.Ingress = &api.PeerIngress{Host: "x.c1.example.com", CredentialName: "c2-certs"}
				w.Peers[1].Spec.Ingress = &api.PeerIngress{Host: "x.c1.example.com", CredentialName: "c3-certs"}
			},
			map[string]ruling{"Peer/c3": {admit.FormEarlier, api.CauseHostClaimed}},
		},
		"a new peer whose name is the entrance of one in force": {
			func(w, h *api.Spec) {
				in := &api.PeerIngress{Host: "c2.c1.example.com", CredentialName: "c2-certs"}
				w.Peers[0].Spec.Ingress, h.Peers[0].Spec.Ingress = in, in
				p := api.Peer{}
				p.Name = "new"
				p.Spec = api.PeerSpec{ServerIdentity: "spiffe://new.example.com/x", SNI: in.Host, Address: &api.Address{Host: "192.0.2.9", Port: 1}}
				w.Peers = append([]api.Peer{p}, w.Peers...)
			},
			map[string]ruling{"Peer/new": {admit.FormNone, api.CauseHostClaimed}},
		},
		"a new entrance by the name of a peer in force": {
			func(w, _ *api.Spec) {
				p := api.Peer{}
				p.Name = "new"
				p.Spec = api.PeerSpec{ClientIdentity: "spiffe://new.example.com/x", Ingress: &api.PeerIngress{Host: "c2.example.com", CredentialName: "new-certs"}}
				w.Peers = append([]api.Peer{p}, w.Peers...)
			},
			map[string]ruling{"Peer/new": {admit.FormNone, api.CauseHostClaimed}},
		},
		"a refused change of a grant": {
			func(w, _ *api.Spec) { w.Exposures[0].Spec.Consumers[0].Methods = []string{"get"} },
			map[string]ruling{reviews: {admit.FormPart, api.CauseInvalid}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			wish, held := seed(t), seed(t)
			c.change(&wish, &held)
			got, err := admit.Decide(admit.Input{Wish: wish, Held: held})
			require.NoError(t, err)
			require.NoError(t, api.Validate(got.Spec), "what is admitted is valid as a whole")
			found := map[string]ruling{}
			for key, r := range got.Rulings {
				if r.Form != admit.FormWhole {
					require.NotEmpty(t, r.Problems, "%s: a refusal without a reason", key)
					found[key.String()] = ruling{r.Form, r.Problems[0].Cause}
				}
			}
			assert.Equal(t, c.want, found)
		})
	}
}

func TestAGoodWishIsAdmittedAsItStands(t *testing.T) {
	wish := seed(t)
	got, err := admit.Decide(admit.Input{Wish: wish})
	require.NoError(t, err)
	assert.Equal(t, wish.Peers, got.Spec.Peers)
	assert.Equal(t, wish.Exposures, got.Spec.Exposures)
	assert.Equal(t, wish.Consumptions, got.Spec.Consumptions)
	assert.Len(t, got.Rulings, 4)
}

func TestAConfirmedRenameIsAdmitted(t *testing.T) {
	wish, held := seed(t), seed(t)
	wish.Peers[0].Spec.ClientIdentity = "spiffe://c2.example.com/new"
	wish.Peers[0].Annotations = map[string]string{api.AnnotationConfirmIdentity: "spiffe://c2.example.com/new"}
	got, err := admit.Decide(admit.Input{Wish: wish, Held: held})
	require.NoError(t, err)
	assert.Equal(t, admit.FormWhole, got.Rulings[wish.Peers[0].Key()].Form)
}

// That a change is refused must not keep a peer in that the change takes out.
func TestTheEarlierVersionIsNarrowedByTheRefusedOne(t *testing.T) {
	wish, held := seed(t), seed(t)
	wish.Exposures[0].Spec.Consumers = []api.Consumer{{Peer: "c3", Methods: []string{"GET"}}}
	wish.Exposures[0].Spec.Path = "/a/../b/"
	got, err := admit.Decide(admit.Input{Wish: wish, Held: held})
	require.NoError(t, err)
	require.Len(t, got.Spec.Exposures, 1)
	assert.Equal(t, held.Exposures[0].Spec.Path, got.Spec.Exposures[0].Spec.Path)
	assert.Equal(t, []api.Consumer{{Peer: "c3", Methods: []string{"GET"}}}, got.Spec.Exposures[0].Spec.Consumers)
}

// A refused change withdraws paths and methods too: what stays is what both
// versions grant, and where that is nothing, the consumer is out. No paths at all
// are the whole prefix, and so never what is left of some.
func TestOfARefusedGrantOnlyWhatBothVersionsGrantStays(t *testing.T) {
	type grant struct{ methods, paths []string }
	list := func(s ...string) []string { return s }
	get := list("GET")
	cases := map[string]struct {
		before, now grant
		// want is nil where nothing stays.
		want *grant
	}{
		"fewer paths":                      {grant{get, list("a", "b/")}, grant{get, list("b/")}, &grant{get, list("b/")}},
		"more paths":                       {grant{get, list("a")}, grant{get, list("a", "b/")}, &grant{get, list("a")}},
		"one below":                        {grant{get, list("a/")}, grant{get, list("a/b", "a/c/")}, &grant{get, list("a/b", "a/c/")}},
		"one above":                        {grant{get, list("a/b", "c")}, grant{get, list("a/")}, &grant{get, list("a/b")}},
		"some of the prefix":               {grant{get, nil}, grant{get, list("a/")}, &grant{get, list("a/")}},
		"the whole prefix":                 {grant{get, list("a/")}, grant{get, nil}, &grant{get, list("a/")}},
		"the whole prefix both times":      {grant{get, nil}, grant{get, nil}, &grant{get, nil}},
		"other paths":                      {grant{get, list("a/")}, grant{get, list("b/")}, nil},
		"a name that only begins alike":    {grant{get, list("a/")}, grant{get, list("ab", "a")}, nil},
		"an exact path covers nothing":     {grant{get, list("a")}, grant{get, list("a/b")}, nil},
		"a path that is none":              {grant{get, nil}, grant{get, list("../x", "*", "")}, nil},
		"a good path beside one that is":   {grant{get, nil}, grant{get, list("a/../x", "b")}, &grant{get, list("b")}},
		"fewer methods":                    {grant{list("GET", "POST"), nil}, grant{get, nil}, &grant{get, nil}},
		"other methods":                    {grant{get, nil}, grant{list("POST"), nil}, nil},
		"no methods, which is not all":     {grant{get, nil}, grant{nil, nil}, nil},
		"methods and paths, each the less": {grant{list("GET", "POST"), list("a/")}, grant{list("POST", "PUT"), list("a/b", "c")}, &grant{list("POST"), list("a/b")}},
	}
	for name, row := range cases {
		t.Run(name, func(t *testing.T) {
			wish, held := seed(t), seed(t)
			set := func(s *api.Spec, g grant) {
				s.Exposures[0].Spec.Consumers = []api.Consumer{{Peer: "c2", Methods: g.methods, Paths: g.paths}, {Peer: "c3", Methods: get}}
			}
			set(&held, row.before)
			set(&wish, row.now)
			require.NoError(t, api.Validate(held))
			wish.Exposures[0].Spec.Path = "/a/../b/"
			got, err := admit.Decide(admit.Input{Wish: wish, Held: held})
			require.NoError(t, err)
			require.NoError(t, api.Validate(got.Spec))
			require.Len(t, got.Spec.Exposures, 1)
			var want []api.Consumer
			if row.want != nil {
				want = append(want, api.Consumer{Peer: "c2", Methods: row.want.methods, Paths: row.want.paths})
			}
			want = append(want, api.Consumer{Peer: "c3", Methods: get})
			assert.Equal(t, want, got.Spec.Exposures[0].Spec.Consumers)
		})
	}
}

// A part of what both versions grant is safe, too: what is too long is cut, and
// does not take the whole exposure with it.
func TestWhatIsLeftOfARefusedGrantFitsIntoAnExposure(t *testing.T) {
	cases := map[string]struct{ paths, length, want int }{
		"too many paths": {api.MaxSubPaths + 1, 4, api.MaxSubPaths},
		"too much text":  {20, 1000, api.MaxPathText / 1000},
	}
	for name, row := range cases {
		t.Run(name, func(t *testing.T) {
			wish, held := seed(t), seed(t)
			held.Exposures[0].Spec.Consumers[0].Paths = nil
			var paths []string
			for n := range row.paths {
				paths = append(paths, fmt.Sprintf("%0*d", row.length, n))
			}
			wish.Exposures[0].Spec.Consumers[0].Paths = paths
			wish.Exposures[0].Spec.Path = "/a/../b/"
			got, err := admit.Decide(admit.Input{Wish: wish, Held: held})
			require.NoError(t, err)
			require.NoError(t, api.Validate(got.Spec))
			require.Len(t, got.Spec.Exposures, 1)
			require.Len(t, got.Spec.Exposures[0].Spec.Consumers, 2)
			assert.Equal(t, paths[:row.want], got.Spec.Exposures[0].Spec.Consumers[0].Paths)
			again, err := admit.Decide(admit.Input{Wish: wish, Held: got.Spec})
			require.NoError(t, err)
			assert.Equal(t, got.Spec, again.Spec, "what is left is stable")
		})
	}
}

// An identity that a peer gives up admits nobody, also if something else is wrong
// with what the peer says now.
func TestAnIdentityThatIsTakenAwayGoesAlsoWithARefusedPeer(t *testing.T) {
	wish, held := seed(t), seed(t)
	wish.Peers[0].Spec.ClientIdentity = ""
	wish.Peers[0].Spec.SNI = "*.example.com"
	got, err := admit.Decide(admit.Input{Wish: wish, Held: held})
	require.NoError(t, err)
	require.NoError(t, api.Validate(got.Spec))
	peer, in := got.Spec.Peer("c2")
	require.True(t, in)
	assert.Empty(t, peer.Spec.ClientIdentity)
	assert.Equal(t, "c2.example.com", peer.Spec.SNI)
	assert.Equal(t, admit.FormEarlier, got.Rulings[wish.Peers[0].Key()].Form)
	require.Len(t, got.Spec.Exposures, 1)
	assert.Equal(t, wish.Exposures[0].Spec.Consumers[1:], got.Spec.Exposures[0].Spec.Consumers)
	assert.Len(t, got.Spec.Consumptions, 1)

	wish.Peers[0].Spec.ServerIdentity = ""
	got, err = admit.Decide(admit.Input{Wish: wish, Held: held})
	require.NoError(t, err)
	_, in = got.Spec.Peer("c2")
	assert.False(t, in, "a peer without an identity is none")
	assert.Empty(t, got.Spec.Consumptions)
}

func TestAVetoKeepsTheEarlierVersionAndItsClaims(t *testing.T) {
	wish, held := seed(t), seed(t)
	wish.Exposures[0].Spec.Path = "/moved/"
	wish.Exposures = append(wish.Exposures, second(held.Exposures[0], held.Exposures[0].Spec.Path))
	veto := map[api.Key][]api.Problem{wish.Exposures[0].Key(): {{Reason: "its Service is gone"}}}
	got, err := admit.Decide(admit.Input{Wish: wish, Held: held, Vetoed: veto})
	require.NoError(t, err)
	require.Len(t, got.Spec.Exposures, 1)
	assert.Equal(t, admit.FormEarlier, got.Rulings[wish.Exposures[0].Key()].Form)
	assert.Equal(t, admit.FormNone, got.Rulings[wish.Exposures[1].Key()].Form)
}

// A peer that goes takes the service from no other peer, whatever else keeps the
// newer version out.
func TestAPeerThatGoesTakesNothingFromTheOthersOfARefusedExposure(t *testing.T) {
	goes := map[string]func(*api.Spec){
		"is deleted": func(w *api.Spec) { w.Peers = w.Peers[:1] },
		"gives up its identity": func(w *api.Spec) {
			w.Peers[1].Spec = api.PeerSpec{ServerIdentity: "spiffe://c3.example.com/in"}
		},
	}
	refused := map[string]func(*admit.Input){
		"vetoed": func(in *admit.Input) {
			in.Vetoed = map[api.Key][]api.Problem{in.Wish.Exposures[0].Key(): {{Reason: "nothing new now"}}}
		},
		"invalid": func(in *admit.Input) { in.Wish.Exposures[0].Spec.Path = "/a/../b/" },
	}
	for went, goes := range goes {
		for why, refuse := range refused {
			t.Run(went+", "+why, func(t *testing.T) {
				in := admit.Input{Wish: seed(t), Held: seed(t)}
				goes(&in.Wish)
				refuse(&in)
				for range 2 {
					got, err := admit.Decide(in)
					require.NoError(t, err)
					require.NoError(t, api.Validate(got.Spec))
					require.Len(t, got.Spec.Exposures, 1)
					assert.Equal(t, in.Held.Exposures[0].Spec.Path, got.Spec.Exposures[0].Spec.Path)
					assert.Equal(t, seed(t).Exposures[0].Spec.Consumers[:1], got.Spec.Exposures[0].Spec.Consumers)
					assert.Equal(t, admit.FormEarlier, got.Rulings[in.Wish.Exposures[0].Key()].Form)
					in.Held = got.Spec
				}
			})
		}
	}
}

func TestWithoutAGoodMeshNothingIsDecided(t *testing.T) {
	wish := seed(t)
	wish.Mesh.Spec.Ingress.Selector = nil
	_, err := admit.Decide(admit.Input{Wish: wish})
	var invalid *api.ValidationError
	require.ErrorAs(t, err, &invalid)
}
