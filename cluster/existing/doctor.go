package existing

import (
	"context"
	"errors"
	"fmt"
	"io"

	rbac "k8s.io/api/rbac/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/access"
)

// Doctor writes, for each cluster, whether it answers and which of the rights
// this user lacks, and then the RBAC that grants them all. It changes nothing.
// The error says what would stop a run.
func (p *Provider) Doctor(ctx context.Context, w io.Writer) (err error) {
	lab, err := p.open()
	if err != nil {
		return fmt.Errorf("existing provider: %w", err)
	}
	defer func() { err = errors.Join(err, lab.Delete(ctx)) }()
	var errs []error
	for _, m := range lab.members {
		errs = append(errs, p.examine(ctx, w, m))
	}
	tell(w, p.options.Images)
	if p.options.Terms != "" {
		fmt.Fprintln(w, p.options.Terms)
	}
	grant := access.Grant{
		Name:    "meshfed-conformance",
		Subject: rbac.Subject{APIGroup: rbac.GroupName, Kind: rbac.UserKind, Name: "meshfed-conformance"},
		Rights:  p.options.Rights, Namespaces: p.options.Namespaces,
	}
	text, err := grant.YAML()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n# What the contexts' user needs in each cluster; put its name in place of %s.\n%s", grant.Subject.Name, text)
	return errors.Join(errs...)
}

func (p *Provider) examine(ctx context.Context, w io.Writer, m *member) error {
	config, err := cluster.RESTConfig(m)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("cluster %s: %w", m.name, err)
	}
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		return fmt.Errorf("cluster %s: it does not answer: %w", m.name, err)
	}
	missing, err := access.Missing(ctx, client, p.options.Rights)
	if err != nil {
		return fmt.Errorf("cluster %s: %w", m.name, err)
	}
	stop := 0
	for _, r := range missing {
		means := "missing"
		if r.Optional {
			means = "missing, optional"
		} else {
			stop++
		}
		fmt.Fprintf(w, "%-4s %s: %s (%s)\n", m.name, means, r, r.Why)
	}
	fmt.Fprintf(w, "%-4s Kubernetes %s answers; %d of %d rights are there\n", m.name, version.GitVersion, len(p.options.Rights)-len(missing), len(p.options.Rights))
	if stop > 0 {
		return fmt.Errorf("cluster %s: %d rights are missing: have its owner apply the RBAC that this command prints", m.name, stop)
	}
	return nil
}
