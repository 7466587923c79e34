package oracle

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Wish is what one mesh's owner has declared, as far as it bears on who may
// come in.
type Wish struct {
	// Mesh is the name of the mesh.
	Mesh string
	// Host is both the SNI and the authority of its gateway; Port is the
	// gateway's.
	Host string
	Port int
	// Domain is the DNS suffix of its Services.
	Domain string
	// peers that call, by name.
	peers     map[string]peer
	exposures []exposure
}

// peer is who calls, and the host that is for its calls alone; empty: it comes
// in by the mesh's own.
type peer struct{ identity, host string }

type exposure struct {
	namespace, service, subset string
	port                       int
	path                       string
	consumers                  []consumer
}

type consumer struct {
	Peer    string
	Methods []string
	Paths   []string
}

// document is the part of any declaration that is looked at.
type document struct {
	Kind     string
	Metadata struct{ Name, Namespace string }
	Spec     struct {
		Host          string
		ClusterDomain string `yaml:"clusterDomain"`
		// Ingress is the gateway of a mesh, or the entrance of a peer.
		Ingress struct {
			Port int
			Host string
		}
		ClientIdentity string `yaml:"clientIdentity"`
		Service        struct {
			Name, Subset string
			Port         int
		}
		Path      string
		Consumers []consumer
	}
}

// Parse reads declarations. It does not validate them: that they are accepted
// is the engine's claim, and what is wrong with them is not this package's
// business as long as it can be read.
func Parse(declarations string) (Wish, error) {
	w := Wish{Domain: "cluster.local", peers: map[string]peer{}}
	all := yaml.NewDecoder(strings.NewReader(declarations))
	for n := 1; ; n++ {
		var d document
		err := all.Decode(&d)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Wish{}, fmt.Errorf("oracle: document %d: %w", n, err)
		}
		w.add(d)
	}
	if w.Host == "" {
		return Wish{}, errors.New("oracle: no Mesh with a host is declared: there is no boundary to say anything about")
	}
	return w, nil
}

func (w *Wish) add(d document) {
	switch d.Kind {
	case "Mesh":
		w.Mesh, w.Host, w.Port = d.Metadata.Name, d.Spec.Host, d.Spec.Ingress.Port
		if d.Spec.ClusterDomain != "" {
			w.Domain = d.Spec.ClusterDomain
		}
	case "Peer":
		if d.Spec.ClientIdentity != "" {
			w.peers[d.Metadata.Name] = peer{d.Spec.ClientIdentity, d.Spec.Ingress.Host}
		}
	case "Exposure":
		w.exposures = append(w.exposures, exposure{
			namespace: d.Metadata.Namespace, service: d.Spec.Service.Name, subset: d.Spec.Service.Subset, port: d.Spec.Service.Port,
			path: d.Spec.Path, consumers: d.Spec.Consumers,
		})
	}
}
