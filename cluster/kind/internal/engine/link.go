package engine

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The link between the machine and the engine's network. The containers'
// networks are all within the supernet; its first addresses are the link's.
const (
	hostLink   = "meshfed-kind"
	insideLink = "machine"
)

func supernet() netip.Prefix { return netip.MustParsePrefix("10.212.0.0/16") }

func hostAddress() netip.Addr { return netip.MustParseAddr("10.212.0.1") }

// insideAddress is the engine's own, as the machine's clients see it.
func insideAddress() netip.Addr { return netip.MustParseAddr("10.212.0.2") }

const linkBits = 30

// checkRoutes refuses a machine whose own networks the supernet would hide.
func checkRoutes() error {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("routes: %w", err)
	}
	for _, r := range routes {
		if r.Dst == nil || r.Dst.IP.IsUnspecified() {
			continue
		}
		addr, _ := netip.AddrFromSlice(r.Dst.IP.To4())
		ones, _ := r.Dst.Mask.Size()
		if netip.PrefixFrom(addr, ones).Overlaps(supernet()) && !ours(r) {
			return fmt.Errorf("this machine has a route to %s, and the nodes' networks are in %s: remove the route, or use a Docker engine of your own (DOCKER_HOST)", r.Dst, supernet())
		}
	}
	return nil
}

// ours says whether the route leads to an earlier engine.
func ours(r netlink.Route) bool {
	l, err := netlink.LinkByIndex(r.LinkIndex)
	return err == nil && l.Attrs().Name == hostLink
}

// link joins the machine with the network namespace of a process.
func link(pid int) error {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = hostLink
	pair := &netlink.Veth{LinkAttrs: attributes, PeerName: insideLink, PeerNamespace: netlink.NsPid(pid)}
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("link %s: %w", hostLink, err)
	}
	l, err := up(hostLink, hostAddress())
	if err != nil {
		return err
	}
	return route(l, supernet(), insideAddress())
}

// unlink removes the machine's end, and with it the other one and the routes.
func unlink() error {
	l, err := netlink.LinkByName(hostLink)
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return nil
	}
	if err == nil {
		err = netlink.LinkDel(l)
	}
	if err != nil {
		return fmt.Errorf("link %s: %w", hostLink, err)
	}
	return nil
}

// joinMachine sets up the inside end. There is no default route.
func joinMachine() error {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("link lo: %w", err)
	}
	_, err = up(insideLink, insideAddress())
	return err
}

func up(name string, a netip.Addr) (netlink.Link, error) {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("link %s: %w", name, err)
	}
	na := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(a, linkBits))}
	if err := netlink.AddrAdd(l, na); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("link %s: address %s: %w", name, a, err)
	}
	if err := netlink.LinkSetUp(l); err != nil {
		return nil, fmt.Errorf("link %s: up: %w", name, err)
	}
	return l, nil
}

func route(l netlink.Link, to netip.Prefix, via netip.Addr) error {
	r := &netlink.Route{LinkIndex: l.Attrs().Index, Dst: ipNet(to), Gw: via.AsSlice()}
	if err := netlink.RouteReplace(r); err != nil {
		return fmt.Errorf("route to %s: %w", to, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
}
