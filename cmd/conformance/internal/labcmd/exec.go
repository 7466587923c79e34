package labcmd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/embedded"
	"github.com/meshfed/meshfed/cluster/istio"
)

func trimLog(name string) string { return strings.TrimSuffix(name, ".log") }

// ExitError is the end of a command that `lab exec` ran; the process is to
// exit with its code, and nothing is to be said.
type ExitError struct{ Code int }

func (e *ExitError) Error() string { return fmt.Sprintf("the command ended with code %d", e.Code) }

func (l *labs) exec() *cobra.Command {
	return &cobra.Command{
		Use:   "exec CLUSTER -- COMMAND [ARG …]",
		Short: "Run a command against a cluster: kubectl, istioctl, or your own",
		Long: "Runs COMMAND on this machine with KUBECONFIG set to the cluster's and the lab's own\n" +
			"kubectl and istioctl first on PATH.",
		Example: "  conformance lab exec c2 -- kubectl get pods -A\n  conformance lab exec c1 -- istioctl proxy-status",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			lab, c, err := l.openCluster(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return run(cmd, lab, c, args[1:])
		},
	}
}

func run(cmd *cobra.Command, lab *embedded.Lab, c cluster.Cluster, argv []string) error {
	path := lab.ToolsDir() + string(os.PathListSeparator) + os.Getenv("PATH")
	program, err := lookPath(argv[0], lab.ToolsDir())
	if err != nil {
		return err
	}
	child := exec.CommandContext(cmd.Context(), program, argv[1:]...)
	child.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig(), "PATH="+path)
	child.Stdin, child.Stdout, child.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	err = child.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &ExitError{Code: exit.ExitCode()}
	}
	return err
}

// lookPath prefers the lab's own programs: theirs are the versions that fit.
func lookPath(name, tools string) (string, error) {
	if !strings.ContainsRune(name, os.PathSeparator) {
		if p, err := exec.LookPath(tools + string(os.PathSeparator) + name); err == nil {
			return p, nil
		}
	}
	return exec.LookPath(name)
}

func privateIngress() cluster.GatewayRef {
	return cluster.GatewayRef{Namespace: istio.GatewayNamespace, Service: istio.IngressGateway, Port: istio.IngressPort}
}
