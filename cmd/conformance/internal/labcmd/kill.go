package labcmd

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cmd/internal/usage"
)

// mortal are the programs of a cluster that can be killed, by their names.
func mortal() map[string]cluster.Part {
	return map[string]cluster.Part{"kube-apiserver": cluster.APIServer, "etcd": cluster.Etcd}
}

func (l *labs) kill() *cobra.Command {
	names := slices.Sorted(maps.Keys(mortal()))
	return &cobra.Command{
		Use:   "kill CLUSTER " + strings.Join(names, "|"),
		Short: "Kill the API server or etcd of a cluster (kill -9); the lab starts it again",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			part, known := mortal()[args[1]]
			if !known {
				return usage.Errorf("kill %q: want one of %s", args[1], strings.Join(names, ", "))
			}
			_, c, err := l.openCluster(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			f, can := c.(cluster.Faulter)
			if !can {
				return fmt.Errorf("cluster %s: its provider kills nothing", c.Name())
			}
			return f.Kill(cmd.Context(), part)
		},
	}
}
