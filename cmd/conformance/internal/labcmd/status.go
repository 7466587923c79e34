package labcmd

import (
	"context"
	"fmt"
	"io"

	"github.com/olekukonko/tablewriter"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/workload"
)

func (l *labs) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say which labs are up and how their clusters are",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := ofNoLab(cmd, "is of all labs"); err != nil {
				return err
			}
			p, err := provider(nil)
			if err != nil {
				return err
			}
			names, err := p.List(cmd.Context())
			if err != nil {
				return err
			}
			if len(names) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "no lab is up; `conformance lab up` brings one up")
				return nil
			}
			var rows [][]string
			for _, name := range names {
				lab, err := p.Open(cmd.Context(), name)
				if err != nil {
					rows = append(rows, []string{name, "-", err.Error(), "-", "-"})
					continue
				}
				for _, c := range lab.Clusters() {
					rows = append(rows, statusRow(cmd.Context(), name, c))
				}
			}
			return table(cmd.OutOrStdout(), []string{"lab", "cluster", "node", "pods ready", "private gateway"}, rows)
		},
	}
}

func table(w io.Writer, header []string, rows [][]string) error {
	t := tablewriter.NewWriter(w)
	t.Header(header)
	if err := t.Bulk(rows); err != nil {
		return err
	}
	return t.Render()
}

// statusRow says what can be seen of a cluster; what cannot is said in place.
func statusRow(ctx context.Context, lab string, c cluster.Cluster) []string {
	row := []string{lab, c.Name(), "?", "?", "?"}
	cfg, err := cluster.RESTConfig(c)
	if err != nil {
		row[2] = err.Error()
		return row
	}
	client, err := workload.New(cfg)
	if err != nil {
		row[2] = err.Error()
		return row
	}
	nodes, err := client.Kube().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		row[2] = err.Error()
		return row
	}
	row[2] = nodeState(nodes.Items)
	pods, err := client.Kube().CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		row[3] = err.Error()
		return row
	}
	ready := 0
	for i := range pods.Items {
		if workload.Ready(&pods.Items[i]) {
			ready++
		}
	}
	row[3] = fmt.Sprintf("%d of %d", ready, len(pods.Items))
	if gw, err := c.Gateway(ctx, privateIngress()); err != nil {
		row[4] = err.Error()
	} else {
		row[4] = gw.Peers + " (here: " + gw.Harness + ")"
	}
	return row
}

func nodeState(nodes []corev1.Node) string {
	for _, n := range nodes {
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
				return "Ready, " + n.Status.NodeInfo.KubeletVersion
			}
		}
	}
	return "not Ready"
}
