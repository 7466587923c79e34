package labcmd

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func (l *labs) env() *cobra.Command {
	return &cobra.Command{
		Use:     "env",
		Short:   "Print shell variables for a lab: kubeconfigs, programs, gateway addresses",
		Example: "  eval \"$(conformance lab env)\"; kubectl --context c2 get pods -A",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lab, err := l.open(cmd.Context())
			if err != nil {
				return err
			}
			var kubeconfigs []string
			w := cmd.OutOrStdout()
			for _, c := range lab.Clusters() {
				kubeconfigs = append(kubeconfigs, c.Kubeconfig())
				gw, err := c.Gateway(cmd.Context(), privateIngress())
				if err != nil {
					return err
				}
				export(w, strings.ToUpper(strings.ReplaceAll(c.Name(), "-", "_"))+"_GATEWAY", quoted(gw.Harness))
			}
			export(w, "MESHFED_LAB", quoted(lab.Name()))
			export(w, "KUBECONFIG", quoted(strings.Join(kubeconfigs, string(os.PathListSeparator))))
			export(w, "PATH", quoted(lab.ToolsDir())+string(os.PathListSeparator)+`"$PATH"`)
			return nil
		},
	}
}

// export is a line for eval.
func export(w io.Writer, name, value string) { fmt.Fprintf(w, "export %s=%s\n", name, value) }

// quoted is text as one word of a shell, whatever is in it: the home folder, and
// so every path, may have a blank or a semicolon in its name.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
