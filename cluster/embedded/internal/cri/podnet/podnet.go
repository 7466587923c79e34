// Package podnet connects pods' network namespaces to their node.
//
// Every pod has a pair of virtual Ethernet links, routed as the ptp network
// plug-in does it: no bridge, no broadcast domain, only a /32 route at each
// end, so that two pods can reach each other by the node's routing alone. The
// package must not know containers or Kubernetes; forwarding on the node and
// what lies beyond it are its caller's business.
package podnet

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/namespaces"
)

const podLink = "eth0"

// Network gives out addresses and links. It is safe for concurrent use.
type Network struct {
	pool    *pool
	gateway netip.Addr
}

// New is the network of the pods in prefix; its first host address is the
// gateway that every pod sees. Nothing is made until a pod is attached.
func New(prefix netip.Prefix) (*Network, error) {
	p, err := newPool(prefix)
	if err != nil {
		return nil, err
	}
	return &Network{pool: p, gateway: p.first}, nil
}

// Attach links the pod's network namespace to the caller's and returns the
// pod's address. The id names the link: it must be unique among live pods.
func (n *Network) Attach(id string, pod namespaces.Set) (netip.Addr, error) {
	ns, ok := pod.Get(namespaces.Net)
	if !ok {
		return netip.Addr{}, fmt.Errorf("attach pod %s: it has no network namespace of its own", id)
	}
	addr, err := n.pool.take()
	if err != nil {
		return netip.Addr{}, fmt.Errorf("attach pod %s: %w", id, err)
	}
	if err := n.connect(id, int(ns.File.Fd()), addr); err != nil {
		return netip.Addr{}, errors.Join(fmt.Errorf("attach pod %s: %w", id, err), n.Detach(id, addr))
	}
	return addr, nil
}

// Detach removes the pod's link and frees its address, which is given out again
// only after all others. It is idempotent.
func (n *Network) Detach(id string, addr netip.Addr) error {
	defer n.pool.release(addr)
	link, err := netlink.LinkByName(hostLink(id))
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("detach pod %s: %w", id, err)
	}
	// The kernel removes the link by itself when the pod's last process
	// and handle are gone; that may happen between the two calls.
	if err := netlink.LinkDel(link); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("detach pod %s: delete link %s: %w", id, hostLink(id), err)
	}
	return nil
}

func (n *Network) connect(id string, ns int, addr netip.Addr) error {
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: hostLink(id), Flags: net.FlagUp},
		PeerName:      podLink,
		PeerNamespace: netlink.NsFd(ns),
	}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("add link %s: %w", veth.Name, err)
	}
	if err := n.configurePod(ns, addr); err != nil {
		return fmt.Errorf("inside the pod: %w", err)
	}
	return n.configureHost(veth, addr)
}

func (n *Network) configurePod(ns int, addr netip.Addr) error {
	h, err := netlink.NewHandleAt(netns.NsHandle(ns), unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	defer h.Close()
	for _, name := range []string{"lo", podLink} {
		link, err := h.LinkByName(name)
		if err != nil {
			return fmt.Errorf("find link %s: %w", name, err)
		}
		if err := h.LinkSetUp(link); err != nil {
			return fmt.Errorf("set link %s up: %w", name, err)
		}
		if name != podLink {
			continue
		}
		if err := h.AddrAdd(link, &netlink.Addr{IPNet: single(addr)}); err != nil {
			return fmt.Errorf("add address %s: %w", addr, err)
		}
		return n.addRoutes(h, link, addr)
	}
	return nil
}

func (n *Network) addRoutes(h *netlink.Handle, link netlink.Link, addr netip.Addr) error {
	index, gateway := link.Attrs().Index, n.gateway.AsSlice()
	toGateway := &netlink.Route{LinkIndex: index, Scope: netlink.SCOPE_LINK, Dst: single(n.gateway), Src: addr.AsSlice()}
	if err := h.RouteAdd(toGateway); err != nil {
		return fmt.Errorf("add route to gateway %s: %w", n.gateway, err)
	}
	everywhere := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	if err := h.RouteAdd(&netlink.Route{LinkIndex: index, Dst: everywhere, Gw: gateway, Src: addr.AsSlice()}); err != nil {
		return fmt.Errorf("add default route by %s: %w", n.gateway, err)
	}
	return nil
}

func (n *Network) configureHost(veth *netlink.Veth, addr netip.Addr) error {
	link, err := netlink.LinkByName(veth.Name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", veth.Name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set link %s up: %w", veth.Name, err)
	}
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: single(n.gateway)}); err != nil {
		return fmt.Errorf("add gateway address to %s: %w", veth.Name, err)
	}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK, Dst: single(addr), Src: n.gateway.AsSlice()}
	if err := netlink.RouteAdd(route); err != nil {
		return fmt.Errorf("add route to pod %s: %w", addr, err)
	}
	return nil
}

// hostLink is the name of the pod's link on the node: link names have at most
// 15 characters, so it is a digest of the id.
func hostLink(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "veth" + hex.EncodeToString(sum[:4])
}

func single(a netip.Addr) *net.IPNet {
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())}
}
