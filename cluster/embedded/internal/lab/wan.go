package lab

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"

	"github.com/meshfed/meshfed/cluster/embedded/internal/node"
	"github.com/meshfed/meshfed/cluster/internal/addr"
)

const bridge = "wan"

// makeWAN makes the bridge on which the clusters meet. The namespace has no
// other interface but its loopback, and no default route.
func makeWAN() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("WAN: loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("WAN: loopback: %w", err)
	}
	br := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridge}}
	if err := netlink.LinkAdd(br); err != nil {
		return fmt.Errorf("WAN: bridge: %w", err)
	}
	if err := netlink.AddrAdd(br, &netlink.Addr{IPNet: &net.IPNet{
		IP: addr.Outside().AsSlice(), Mask: net.CIDRMask(addr.WAN().Bits(), 32),
	}}); err != nil {
		return fmt.Errorf("WAN: address: %w", err)
	}
	if err := netlink.LinkSetUp(br); err != nil {
		return fmt.Errorf("WAN: bridge up: %w", err)
	}
	return nil
}

// plugIn joins the network namespace of process pid to the WAN.
func plugIn(name string, pid int) error {
	br, err := netlink.LinkByName(bridge)
	if err != nil {
		return fmt.Errorf("plug in %s: %w", name, err)
	}
	// Interface names hold 15 bytes; the process number is short and unique.
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: fmt.Sprintf("n%d", pid), MasterIndex: br.Attrs().Index},
		PeerName:      node.WANLink,
		PeerNamespace: netlink.NsPid(pid),
	}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("plug in %s: %w", name, err)
	}
	if err := netlink.LinkSetUp(veth); err != nil {
		return fmt.Errorf("plug in %s: %w", name, err)
	}
	return nil
}
