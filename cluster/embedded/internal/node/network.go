package node

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"text/template"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/addr"
)

// WANLink is the node's interface on the WAN; the lab puts it there.
const WANLink = "eth0"

// configureNetwork gives the node its WAN address and makes it a router for
// its pods. There is no default route: what is neither in the cluster nor on
// the WAN is unreachable, at once.
func configureNetwork(p addr.Plan) error {
	for _, name := range []string{"lo", WANLink} {
		if err := linkUp(name); err != nil {
			return err
		}
	}
	if err := addAddress(p.Node, addr.WAN().Bits()); err != nil {
		return err
	}
	if err := routeServices(p); err != nil {
		return err
	}
	sysctls := map[string]string{
		"net/ipv4/ip_forward":              "1",
		"net/ipv4/conf/all/rp_filter":      "0",
		"net/ipv4/conf/all/send_redirects": "0",
		// "Unreachable" is an answer, and the kernel would give it once a second:
		// whoever asks more often would wait for a time-out instead.
		"net/ipv4/icmp_ratelimit": "0",
	}
	for name, value := range sysctls {
		if err := os.WriteFile("/proc/sys/"+name, []byte(value), 0o644); err != nil {
			return fmt.Errorf("sysctl %s: %w", name, err)
		}
	}
	return nil
}

// routeServices lets the node's own programs call Services: kube-proxy rewrites
// a packet's destination only after the kernel has found it some route. What
// kube-proxy does not know is asked for on the WAN, where nobody answers.
func routeServices(p addr.Plan) error {
	l, err := netlink.LinkByName(WANLink)
	if err != nil {
		return fmt.Errorf("interface %s: %w", WANLink, err)
	}
	route := &netlink.Route{
		LinkIndex: l.Attrs().Index,
		Dst:       &net.IPNet{IP: p.Services.Addr().AsSlice(), Mask: net.CIDRMask(p.Services.Bits(), 32)},
		Scope:     netlink.SCOPE_LINK,
		Src:       p.Node.AsSlice(),
	}
	if err := netlink.RouteAdd(route); err != nil {
		return fmt.Errorf("route to services %s: %w", p.Services, err)
	}
	return nil
}

func linkUp(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("interface %s: %w", name, err)
	}
	if err := netlink.LinkSetUp(l); err != nil {
		return fmt.Errorf("interface %s: up: %w", name, err)
	}
	return nil
}

// addAddress puts an address on the WAN interface; one that is there already
// is no error.
func addAddress(a netip.Addr, bits int) error {
	l, err := netlink.LinkByName(WANLink)
	if err != nil {
		return fmt.Errorf("interface %s: %w", WANLink, err)
	}
	na := &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(bits, 32)}}
	if err := netlink.AddrAdd(l, na); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("address %s on %s: %w", a, WANLink, err)
	}
	return nil
}

//go:embed manifests/fence.nft
var fenceRules string

// fence loads the rules that keep the clusters apart: from the WAN only the
// load balancers' addresses can be reached.
func (n *node) fence() error {
	t, err := template.New("fence").Parse(fenceRules)
	if err != nil {
		return fmt.Errorf("fence: %w", err)
	}
	var rules bytes.Buffer
	if err := t.Execute(&rules, map[string]any{
		"WAN": addr.WAN(), "Link": WANLink, "Outside": addr.Outside(),
		"LoadBalancers": n.plan.LoadBalancers, "Pods": n.plan.Pods,
	}); err != nil {
		return fmt.Errorf("fence: %w", err)
	}
	cmd := exec.Command(n.Tools["nft"], "-f", "-") //nolint:noctx // ends with the node, whose pid 1 it is below
	cmd.Stdin = &rules
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fence: nft: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
