package static

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/engine"
)

const apiVersion = "federation.meshfed.io/v1alpha1"

// wish is what declarations say, as far as the seed has words for it.
type wish struct {
	mesh  mesh
	peers map[string]peer
	// services are the exposures and consumptions in one spelling, sorted. What
	// a declaration is called changes nothing.
	services []string
	// callers and callees are the peers that they speak of.
	callers, callees []string
}

// state of a cluster: the services in one spelling.
type state string

func (w wish) state() state { return state(strings.Join(w.services, "\n")) }

// mesh is what the seed leaves open of a mesh: its certificates.
type mesh struct{ name, ingressCerts, egressCerts string }

// peer is what the seed leaves open of a peer.
type peer struct {
	// host and port of its private ingress gateway; empty if it cannot be called.
	host string
	port int
	// identity of that gateway.
	identity string
}

// maxDeclarations bounds what is read, in bytes.
const maxDeclarations = 1 << 20

// read takes declarations apart. What the seed has no words for is
// ErrUnsupported.
func read(declarations string) (wish, error) {
	w := wish{peers: map[string]peer{}}
	if len(declarations) > maxDeclarations {
		return w, fmt.Errorf("declarations of %d bytes, at most %d are read", len(declarations), maxDeclarations)
	}
	all, err := manifest.Decode("declarations", []byte(declarations))
	if err != nil {
		return w, err
	}
	for _, o := range all {
		if err := w.add(o); err != nil {
			return w, fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	slices.Sort(w.services)
	return w, nil
}

func (w *wish) add(o *unstructured.Unstructured) error {
	if o.GetAPIVersion() != apiVersion {
		return fmt.Errorf("%w: apiVersion %q, want %s", engine.ErrUnsupported, o.GetAPIVersion(), apiVersion)
	}
	switch o.GetKind() {
	case "Mesh":
		if w.mesh.name != "" {
			return errors.New("a second Mesh: a cluster has one")
		}
		return w.addMesh(o)
	case "Peer":
		if _, twice := w.peers[o.GetName()]; twice {
			return errors.New("a second Peer of that name")
		}
		return w.addPeer(o)
	case "Exposure", "Consumption":
		return w.addService(o)
	}
	return fmt.Errorf("%w: no such kind", engine.ErrUnsupported)
}

// gateway is one of the two that every mesh of the seed has.
type gateway struct {
	Namespace      string            `json:"namespace"`
	Service        string            `json:"service"`
	Selector       map[string]string `json:"selector"`
	Port           int               `json:"port"`
	CredentialName string            `json:"credentialName"`
}

// is says whether it is the seed's, whatever its certificates are called.
func (g gateway) is(service string, port int) bool {
	return g.Namespace == gateways && g.Service == service && g.Port == port && len(g.Selector) == 1 &&
		"istio-"+g.Selector["istio"] == service && g.CredentialName != ""
}

func (w *wish) addMesh(o *unstructured.Unstructured) error {
	var spec struct {
		Host    string  `json:"host"`
		Ingress gateway `json:"ingress"`
		Egress  gateway `json:"egress"`
	}
	if err := decode(o, &spec); err != nil {
		return err
	}
	if spec.Host != hostOf(o.GetName()) || !spec.Ingress.is("istio-private-ingressgateway", 15443) || !spec.Egress.is("istio-private-egressgateway", 443) {
		return fmt.Errorf("%w: it is not laid out as those of the seed", engine.ErrUnsupported)
	}
	w.mesh = mesh{o.GetName(), spec.Ingress.CredentialName, spec.Egress.CredentialName}
	return nil
}

func hostOf(mesh string) string { return mesh + ".example.com" }

func (w *wish) addPeer(o *unstructured.Unstructured) error {
	var spec struct {
		ClientIdentity string `json:"clientIdentity"`
		ServerIdentity string `json:"serverIdentity"`
		SNI            string `json:"sni"`
		Address        struct {
			Host string `json:"host"`
			Port int    `json:"port"`
		} `json:"address"`
	}
	if err := decode(o, &spec); err != nil {
		return err
	}
	name := o.GetName()
	switch {
	case !clusterName.MatchString(name) || spec.ClientIdentity != "spiffe://"+hostOf(name)+"/istio-private-egressgateway":
		return fmt.Errorf("%w: it is none of the clusters of the seed, or calls under another name", engine.ErrUnsupported)
	case spec.SNI != "" && spec.SNI != hostOf(name):
		return fmt.Errorf("%w: SNI %q, the seed has %s", engine.ErrUnsupported, spec.SNI, hostOf(name))
	}
	w.peers[name] = peer{spec.Address.Host, spec.Address.Port, spec.ServerIdentity}
	return nil
}

// clusterName is that of a cluster of the seed.
var clusterName = regexp.MustCompile(`^c[1-3]$`)

func (w *wish) addService(o *unstructured.Unstructured) error {
	one := map[string]any{"kind": o.GetKind(), "namespace": o.GetNamespace(), "spec": o.Object["spec"]}
	// A map's keys come out in one order.
	text, err := json.Marshal(one)
	if err != nil {
		return err
	}
	w.services = append(w.services, string(text))
	consumers, _, _ := unstructured.NestedSlice(o.Object, "spec", "consumers")
	for _, c := range consumers {
		if consumer, is := c.(map[string]any); is {
			w.callers = append(w.callers, fmt.Sprint(consumer["peer"]))
		}
	}
	if from, is, _ := unstructured.NestedString(o.Object, "spec", "from", "peer"); is {
		w.callees = append(w.callees, from)
	}
	return nil
}

// decode reads a spec. A field that the seed does not have asks for what it does
// not do.
func decode(o *unstructured.Unstructured, into any) error {
	text, err := json.Marshal(o.Object["spec"])
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		return fmt.Errorf("%w: %w", engine.ErrUnsupported, err)
	}
	return nil
}

// strangers are peers that are spoken of and not declared, or that cannot be
// called as the seed calls: errors of whoever declared.
func (w wish) strangers() error {
	for _, name := range slices.Concat(w.callers, w.callees) {
		if _, known := w.peers[name]; !known {
			return fmt.Errorf("it speaks of the peer %s, which is not declared", name)
		}
	}
	for _, name := range w.callees {
		p := w.peers[name]
		if p.host == "" || p.port == 0 || p.identity == "" {
			return fmt.Errorf("the peer %s cannot be consumed from without an address and a serverIdentity", name)
		}
		if _, err := netip.ParseAddr(p.host); err != nil {
			return fmt.Errorf("%w: the peer %s is at %q; the seed's Endpoints hold an IP address", engine.ErrUnsupported, name, p.host)
		}
	}
	return nil
}

// parameters are the values of the manifests' variables.
func parameters(w wish) map[string]string {
	values := map[string]string{"INGRESS_CERTS": w.mesh.ingressCerts, "EGRESS_CERTS": w.mesh.egressCerts}
	for name, p := range w.peers {
		number := strings.TrimPrefix(name, "c")
		values["CLUSTER"+number+"_INGRESS_HOST"] = p.host
		values["CLUSTER"+number+"_SECURE_INGRESS_PORT"] = strconv.Itoa(p.port)
		values["CLUSTER"+number+"_IDENTITY"] = p.identity
	}
	return values
}

// nobody is a wish by which a step can be read before anybody asks for it.
func nobody() wish {
	return wish{mesh: mesh{"c1", "certs", "certs"}, peers: map[string]peer{"c2": {"192.0.2.2", 15443, "spiffe://c2.example.com/x"}}}
}
