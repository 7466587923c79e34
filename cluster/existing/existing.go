package existing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/access"
)

// Name is the provider's word on the command line.
const Name = "existing"

// Options say which clusters there are. Contexts are required.
type Options struct {
	// Kubeconfig is a file; empty means $KUBECONFIG, which may name several,
	// or else ~/.kube/config.
	Kubeconfig string
	Contexts   []Context
	// Gateways are the addresses of private gateways, by cluster. One that is
	// missing is read from the gateway's Service.
	Gateways map[string]cluster.GatewayAddress
	// Images are those that pods need there; see ParseImages.
	Images []Image
	// Rights are what their user needs in each cluster, and Namespaces are
	// those that must be there if that user may make none; see Doctor.
	Rights     []access.Right
	Namespaces []corev1.Namespace
	// Terms are what else Doctor has to say of a run.
	Terms string
}

// Provider opens clusters that exist. Safe for concurrent use.
type Provider struct{ options Options }

var _ cluster.Provider = (*Provider)(nil)

// New is a provider of those clusters. It touches nothing yet.
func New(o Options) (*Provider, error) {
	if len(o.Contexts) == 0 {
		return nil, errors.New("existing provider: no contexts")
	}
	var names []string
	for _, c := range o.Contexts {
		names = append(names, c.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Gateways)) {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("existing provider: gateway of %s: there are only the clusters %s", name, strings.Join(names, ", "))
		}
	}
	return &Provider{options: o}, nil
}

// Name implements cluster.Provider.
func (p *Provider) Name() string { return Name }

// Create is refused: whoever owns clusters makes them.
func (p *Provider) Create(context.Context, string, cluster.Topology) (cluster.Lab, error) {
	return nil, errors.New("existing provider: it makes no clusters: name those that there are with --context")
}

// Open is the lab of all the contexts. It has one name, whichever is asked for:
// the same clusters are the same lab.
func (p *Provider) Open(context.Context, string) (cluster.Lab, error) {
	lab, err := p.open()
	if err != nil {
		return nil, fmt.Errorf("existing provider: %w", err)
	}
	return lab, nil
}

// List names the one lab there is.
func (p *Provider) List(ctx context.Context) ([]string, error) {
	lab, err := p.Open(ctx, "")
	if err != nil {
		return nil, err
	}
	return []string{lab.Name()}, lab.Delete(ctx)
}

func (p *Provider) open() (_ *Lab, err error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if p.options.Kubeconfig != "" {
		rules.ExplicitPath = p.options.Kubeconfig
	}
	config, err := rules.Load()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	dir, err := newFolder()
	if err != nil {
		return nil, err
	}
	l := &Lab{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, dir.remove())
		}
	}()
	identity, places := sha256.New(), map[string]bool{}
	for _, c := range p.options.Contexts {
		one, err := only(*config, c)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(dir.path, c.Name+".kubeconfig")
		if err := clientcmd.WriteToFile(*one, path); err != nil {
			return nil, fmt.Errorf("cluster %s: kubeconfig: %w", c.Name, err)
		}
		fmt.Fprintln(identity, c.Name, one.Clusters[c.Name].Server)
		places[placeOf(one.Clusters[c.Name].Server)] = true
		m := &member{name: c.Name, kubeconfig: path, images: p.options.Images}
		if address, given := p.options.Gateways[c.Name]; given {
			m.gateway = &address
		}
		l.members = append(l.members, m)
	}
	l.name = Name + "-" + hex.EncodeToString(identity.Sum(nil))[:8]
	l.places = slices.Sorted(maps.Keys(places))
	return l, nil
}

// placeOf is short and fit for the name of a file. Case and a slash at the end
// make no other server.
func placeOf(server string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimRight(server, "/"))))
	return hex.EncodeToString(sum[:8])
}
