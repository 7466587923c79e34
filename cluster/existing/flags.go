package existing

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/meshfed/meshfed/cluster"
)

// Context is one cluster: the name it has in the features, and the context of
// the kubeconfig that leads to it.
type Context struct {
	Name, Context string
}

// ParseContexts reads NAME=CONTEXT of the command line, in that order.
func ParseContexts(words []string) ([]Context, error) {
	var all []Context
	seen := map[string]bool{}
	for _, word := range words {
		name, context, ok := strings.Cut(word, "=")
		if !ok || context == "" {
			return nil, fmt.Errorf("context %q: want NAME=CONTEXT, such as c1=my-first-cluster", word)
		}
		if err := cluster.ValidateName("cluster", name); err != nil {
			return nil, fmt.Errorf("context %q: %w", word, err)
		}
		if seen[name] {
			return nil, fmt.Errorf("context %q: cluster %s is named twice", word, name)
		}
		seen[name] = true
		all = append(all, Context{Name: name, Context: context})
	}
	if len(all) == 0 {
		return nil, errors.New("no contexts: name each cluster, such as --context c1=my-first-cluster --context c2=my-second-cluster")
	}
	return all, nil
}

// ParseGateways reads NAME=PEERS[,HERE] of the command line: where the other
// clusters reach the private gateway of a cluster and, where that differs,
// where this machine does.
func ParseGateways(words []string) (map[string]cluster.GatewayAddress, error) {
	all := map[string]cluster.GatewayAddress{}
	for _, word := range words {
		name, addresses, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fmt.Errorf("gateway %q: want NAME=HOST:PORT, such as c2=gateway.example.com:15443", word)
		}
		if err := cluster.ValidateName("cluster", name); err != nil {
			return nil, fmt.Errorf("gateway %q: %w", word, err)
		}
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("gateway %q: cluster %s has one already", word, name)
		}
		peers, here, differs := strings.Cut(addresses, ",")
		if !differs {
			here = peers
		}
		for _, address := range []string{peers, here} {
			if err := validateAddress(address); err != nil {
				return nil, fmt.Errorf("gateway %q: %w", word, err)
			}
		}
		all[name] = cluster.GatewayAddress{Peers: peers, Harness: here}
	}
	return all, nil
}

func validateAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("address %q: want HOST:PORT", address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); host == "" || err != nil || n == 0 {
		return fmt.Errorf("address %q: want a host, and a port from 1 to 65535", address)
	}
	return nil
}
