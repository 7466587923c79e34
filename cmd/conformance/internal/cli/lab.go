package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cmd/internal/usage"
)

// upFlags name a lab that is up; they return the names of all flags that do.
func (p Program) upFlags(c *cobra.Command, provider, lab *string) []string {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	if p.Flags != nil {
		p.Flags(own)
	}
	own.StringVar(provider, "provider", "embedded", "where the meshes live: "+p.Providers.names())
	own.StringVar(lab, "lab", "default", "the lab's `name`")
	var names []string
	own.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	c.Flags().AddFlagSet(own)
	return names
}

// up is a lab that is up. What is written here to reach clusters of somebody's
// goes with leave; the lab stays.
func (p Program) up(ctx context.Context, provider, name string) (lab cluster.Lab, leave func() error, err error) {
	newProvider, known := p.Providers[provider]
	if !known {
		return nil, nil, usage.Errorf("--provider %q: there are: %s", provider, p.Providers.names())
	}
	made, err := newProvider(os.Stderr)
	if err != nil {
		return nil, nil, fmt.Errorf("--provider %s: %w", provider, err)
	}
	if lab, err = made.Open(ctx, name); err != nil {
		return nil, nil, fmt.Errorf("--lab: %w", err)
	}
	leave = func() error { return nil }
	if cluster.Borrowed(lab) {
		leave = func() error { return lab.Delete(context.WithoutCancel(ctx)) }
	}
	return lab, leave, nil
}
