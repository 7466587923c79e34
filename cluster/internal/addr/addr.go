// Package addr is the lab's address plan: which cluster has which networks.
//
// It is pure arithmetic. It must not know how addresses are put on interfaces
// or who uses them.
package addr

import (
	"fmt"
	"net/netip"
)

// MaxClusters is how many clusters one lab can hold: the plan numbers them in
// one octet and keeps room below 100 for the services' networks.
const MaxClusters = 90

// WAN returns the network on which the clusters' nodes and gateways meet. It exists
// only inside the lab's own network namespace.
func WAN() netip.Prefix { return netip.MustParsePrefix("172.30.0.0/16") }

// Outside returns the lab's own address on the WAN: where clients that belong to no
// cluster, the harness among them, come from.
func Outside() netip.Addr { return netip.MustParseAddr("172.30.0.1") }

// Plan is the networks of one cluster. Every cluster's differ, so that an
// address names its cluster and an unexpected answer betrays where it is from.
type Plan struct {
	// Node is the node's address on the WAN.
	Node netip.Addr
	// LoadBalancers is the pool on the WAN for Services of that type.
	LoadBalancers netip.Prefix
	// Pods and Services are the cluster's inner networks.
	Pods, Services netip.Prefix
	// API and DNS are the first and the tenth address of Services, as
	// kube-apiserver and kubeadm have it.
	API, DNS netip.Addr
}

// PlanOf is the plan of the lab's i-th cluster, counted from 0.
func PlanOf(i int) (Plan, error) {
	if i < 0 || i >= MaxClusters {
		return Plan{}, fmt.Errorf("cluster number %d: a lab holds at most %d clusters", i+1, MaxClusters)
	}
	n := byte(i + 1)
	v4 := func(a, b, c, d byte) netip.Addr { return netip.AddrFrom4([4]byte{a, b, c, d}) }
	return Plan{
		Node:          v4(172, 30, 0, 10+n),
		LoadBalancers: netip.PrefixFrom(v4(172, 30, n, 0), 24),
		Pods:          netip.PrefixFrom(v4(10, n, 0, 0), 16),
		Services:      netip.PrefixFrom(v4(10, 100+n, 0, 0), 16),
		API:           v4(10, 100+n, 0, 1),
		DNS:           v4(10, 100+n, 0, 10),
	}, nil
}
