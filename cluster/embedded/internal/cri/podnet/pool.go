package podnet

import (
	"fmt"
	"net/netip"
	"sync"
)

// pool gives out the host addresses of an IPv4 prefix in order. A freed address
// comes back only when the order wraps around: a connection, route or cached
// endpoint that outlives its pod then meets nobody instead of a stranger.
type pool struct {
	prefix netip.Prefix
	// first is the gateway, which pods never get.
	first netip.Addr

	mu   sync.Mutex
	last netip.Addr
	used map[netip.Addr]bool
}

func newPool(prefix netip.Prefix) (*pool, error) {
	if !prefix.IsValid() || !prefix.Addr().Is4() {
		return nil, fmt.Errorf("pod network %s: want an IPv4 prefix such as 10.1.0.0/24", prefix)
	}
	if prefix.Bits() > 29 {
		return nil, fmt.Errorf("pod network %s: too small, want /29 or larger", prefix)
	}
	prefix = prefix.Masked()
	first := prefix.Addr().Next()
	return &pool{prefix: prefix, first: first, last: first, used: map[netip.Addr]bool{}}, nil
}

func (p *pool) take() (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.last
	for range p.size() {
		a = p.after(a)
		if !p.used[a] {
			p.used[a], p.last = true, a
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("all %d addresses of %s are in use", p.size(), p.prefix)
}

// size leaves out the network's own address, the gateway and broadcast.
func (p *pool) size() int { return 1<<(32-p.prefix.Bits()) - 3 }

// after is the next address for pods: the last one of the prefix is its
// broadcast address, and the order goes on behind the gateway.
func (p *pool) after(a netip.Addr) netip.Addr {
	next := a.Next()
	if !p.prefix.Contains(next) || !p.prefix.Contains(next.Next()) {
		return p.first.Next()
	}
	return next
}

func (p *pool) release(a netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, a)
}
