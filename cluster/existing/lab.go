package existing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/cluster"
)

// Lab is the clusters of some contexts.
type Lab struct {
	name string
	// dir holds a kubeconfig a cluster.
	dir     folder
	members []*member
	// places are digests of where the clusters are.
	places []string
}

var _ cluster.Borrower = (*Lab)(nil)

// Name implements cluster.Lab.
func (l *Lab) Name() string { return l.name }

// Provider implements cluster.Lab.
func (l *Lab) Provider() string { return Name }

// Owner implements cluster.Borrower.
func (l *Lab) Owner() string { return "existing clusters" }

// Places implements cluster.Borrower.
func (l *Lab) Places() []string { return slices.Clone(l.places) }

// Clusters implements cluster.Lab.
func (l *Lab) Clusters() []cluster.Cluster {
	all := make([]cluster.Cluster, len(l.members))
	for i, m := range l.members {
		all[i] = m
	}
	return all
}

// Cluster implements cluster.Lab.
func (l *Lab) Cluster(name string) (cluster.Cluster, error) {
	var names []string
	for _, m := range l.members {
		if m.name == name {
			return m, nil
		}
		names = append(names, m.name)
	}
	return nil, fmt.Errorf("there is no cluster %q; the contexts given are of %s", name, strings.Join(names, ", "))
}

// errOwners means that something is only the clusters' owners' to give.
var errOwners = errors.New("it is the clusters' owners'")

// ExportLogs cannot be had: what runs the clusters is not reached by their API.
func (l *Lab) ExportLogs(context.Context, string) error {
	return fmt.Errorf("logs of control planes and nodes: %w; the evidence of a scenario holds what the mesh has said", errOwners)
}

// Delete implements cluster.Lab: it removes the kubeconfigs that were written
// here, and nothing of the clusters.
func (l *Lab) Delete(context.Context) error {
	if err := l.dir.remove(); err != nil {
		return fmt.Errorf("existing provider: %w", err)
	}
	return nil
}
