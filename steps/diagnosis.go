package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cucumber/godog"
)

// Layer is where a request from one mesh to another can break. The set is
// closed, in the order in which a request meets them.
type Layer string

// The layers.
const (
	// LayerNone: nothing is broken.
	LayerNone Layer = "nothing"
	// LayerName: the caller cannot find the name.
	LayerName Layer = "name resolution"
	// LayerConsumerRoute: the consuming mesh does not lead it to the peer.
	LayerConsumerRoute Layer = "consumer route"
	// LayerEgressTLS: the caller's sidecar and the egress gateway do not agree.
	LayerEgressTLS Layer = "egress TLS"
	// LayerAddress: nobody answers at the peer's address.
	LayerAddress Layer = "peer's address"
	// LayerSNI: the peer does not serve the server name that is asked for.
	LayerSNI Layer = "SNI"
	// LayerHandshake: the certificates do not satisfy the other side.
	LayerHandshake Layer = "handshake"
	// LayerPolicy: a policy denies it.
	LayerPolicy Layer = "policy"
	// LayerRoute: the peer's gateway leads it nowhere.
	LayerRoute Layer = "route"
	// LayerBackend: the exposed service fails.
	LayerBackend Layer = "backend"
)

// Layers is the whole vocabulary.
func Layers() []Layer {
	return []Layer{LayerNone, LayerName, LayerConsumerRoute, LayerEgressTLS, LayerAddress, LayerSNI, LayerHandshake, LayerPolicy, LayerRoute, LayerBackend}
}

// Diagnosis is what broke a request, as the proxies on its way tell it.
type Diagnosis struct {
	Layer Layer `json:"layer"`
	// Story is why, in the words of the proxy that decided.
	Story string `json:"story"`
	// Way is what each proxy said about it, in order.
	Way []string `json:"way,omitempty"`
}

func (d Diagnosis) String() string { return string(d.Layer) + ": " + d.Story }

func (w *World) diagnosisSteps(sc *godog.ScenarioContext) {
	sc.Given(`^the owner of c\d asks (c\d) for the server name "([^"]+)"$`, func(peer, sni string) error {
		w.misled(peer).SNI = sni
		return nil
	})
	sc.Given(`^the owner of c\d believes the gateway of (c\d) at port (\d+)$`, func(peer, port string) error {
		w.misled(peer).Port = port
		return nil
	})
	sc.Given(`^the owner of (c\d) has let the certificate of the private ingress gateway expire$`, func(ctx context.Context, mesh string) error {
		serials, err := w.Owners.Expire(ctx, mesh)
		w.serials[mesh] = serials
		return w.own(mesh, err)
	})
	sc.Then(`^the broken layer of "([A-Z]+) ([^"]+)"(?: by (\w+))? in (c\d) is "([^"]+)"(?:, because "([^"]+)")?$`, w.brokenLayer)
}

// misled is what an owner believes of a peer that is not so.
func (w *World) misled(peer string) *belief {
	if w.beliefs[peer] == nil {
		w.beliefs[peer] = &belief{}
	}
	return w.beliefs[peer]
}

// belief is empty where it is true.
type belief struct{ SNI, Host, Port string }

// diagnosing bounds how long a planted fault may take to be there, and the logs
// to tell of it.
const diagnosing = 30 * time.Second

// brokenLayer is what the proxies tell of a request that is sent.
func (w *World) brokenLayer(ctx context.Context, method, url, user, mesh, layer, because string) error {
	r := Request{Method: method, URL: url, User: user}
	return w.diagnosed(ctx, fmt.Sprintf("%s in %s", r, mesh), layer, because, func(ctx context.Context) (Diagnosis, error) {
		return w.Meshes.Why(ctx, mesh, r)
	})
}

// diagnosed asks until that layer is named, for that reason: what was planted
// takes a moment to be there.
func (w *World) diagnosed(ctx context.Context, request, layer, because string, diagnose func(context.Context) (Diagnosis, error)) error {
	if !slices.Contains(Layers(), Layer(layer)) {
		return fmt.Errorf("a layer %q: want one of %q", layer, Layers())
	}
	ctx, cancel := context.WithTimeoutCause(ctx, diagnosing, errLate)
	defer cancel()
	// Whether a reason is in capitals is up to the version of Envoy.
	reason := strings.ToLower(because)
	fits := func(d Diagnosis) bool {
		return d.Layer == Layer(layer) && strings.Contains(strings.ToLower(d.Story), reason)
	}
	var last Diagnosis
	for one := range inTurn(ctx, func(ctx context.Context) finding { return agreed(ctx, fits, diagnose) }) {
		if ctx.Err() != nil {
			break
		}
		if one.err != nil {
			return inconclusive(one.err)
		}
		last = one.Diagnosis
		w.record = append(w.record, fmt.Sprintf("%s: %s", request, last))
		w.record = append(w.record, last.Way...)
		if fits(last) {
			return nil
		}
	}
	return fmt.Errorf("%s: want the layer %q (%s); named last: %s (%w)", request, layer, because, last, context.Cause(ctx))
}

// finding is a diagnosis, or why there is none.
type finding struct {
	Diagnosis
	err error
}

// agreeing is how many requests that are diagnosed at once have to end alike: one of
// them may meet a change that is still on its way.
const agreeing = 3

// agreed is one of some diagnoses at once, the first that does not fit if there is
// one. At once, since what takes long is that the proxies write down what they did.
func agreed(ctx context.Context, fits func(Diagnosis) bool, diagnose func(context.Context) (Diagnosis, error)) finding {
	all := make([]finding, agreeing)
	var each sync.WaitGroup
	for i := range all {
		each.Go(func() { all[i].Diagnosis, all[i].err = diagnose(ctx) })
	}
	each.Wait()
	if at := slices.IndexFunc(all, func(t finding) bool { return t.err != nil || !fits(t.Diagnosis) }); at >= 0 {
		return all[at]
	}
	return all[0]
}
