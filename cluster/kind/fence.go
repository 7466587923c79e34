package kind

import (
	"bytes"
	_ "embed"
	"fmt"
	"net/netip"
	"strings"
	"text/template"

	"sigs.k8s.io/kind/pkg/cluster/nodes"
)

//go:embed fence.nft
var fenceRules string

// fence is what a node's fence is made from.
type fence struct {
	// Network is the lab's, Gateway the engine's own address in it, Pods the
	// cluster's own network.
	Network netip.Prefix
	Gateway netip.Addr
	Pods    netip.Prefix
}

func (f fence) rules() (string, error) {
	t, err := template.New("fence").Parse(fenceRules)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = t.Execute(&b, f)
	return b.String(), err
}

// fence shuts the node off, also after it is started again.
func (m *member) fence(f fence) error {
	rules, err := f.rules()
	if err != nil {
		return fmt.Errorf("fence: %w", err)
	}
	node, err := m.node()
	if err != nil {
		return err
	}
	for _, step := range []struct {
		stdin string
		argv  []string
	}{
		{rules, []string{"cp", "/dev/stdin", "/etc/nftables.conf"}},
		{"", []string{"systemctl", "enable", "--now", "nftables.service"}},
		// "Unreachable" is an answer, and the kernel would give it once a
		// second: whoever asks more often would wait for a time-out instead.
		{"", []string{"sysctl", "-qw", "net.ipv4.icmp_ratelimit=0"}},
		{"", []string{"nft", "list", "table", "inet", "meshfed-fence"}},
	} {
		if err := run(node, step.stdin, step.argv...); err != nil {
			return fmt.Errorf("fence: %w", err)
		}
	}
	return nil
}

// run runs a program in a node.
func run(node nodes.Node, stdin string, argv ...string) error {
	var said bytes.Buffer
	cmd := node.Command(argv[0], argv[1:]...).SetStdout(&said).SetStderr(&said)
	if stdin != "" {
		cmd = cmd.SetStdin(strings.NewReader(stdin))
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s in %s: %w: %s", argv[0], node, err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}
