package existing

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// only is a kubeconfig with that context alone, called as the cluster is, and
// with whatever files it names inside it: nothing else of the user's
// configuration goes to those who are handed the cluster.
func only(all clientcmdapi.Config, c Context) (*clientcmdapi.Config, error) {
	if _, known := all.Contexts[c.Context]; !known {
		return nil, fmt.Errorf("cluster %s: no context %q in the kubeconfig; it has %s", c.Name, c.Context, contextsOf(all))
	}
	config := all.DeepCopy()
	config.CurrentContext = c.Context
	if err := clientcmdapi.MinifyConfig(config); err != nil {
		return nil, fmt.Errorf("cluster %s: context %s: %w", c.Name, c.Context, err)
	}
	if err := clientcmd.ResolveLocalPaths(config); err != nil {
		return nil, fmt.Errorf("cluster %s: context %s: %w", c.Name, c.Context, err)
	}
	if err := clientcmdapi.FlattenConfig(config); err != nil {
		return nil, fmt.Errorf("cluster %s: context %s: %w", c.Name, c.Context, err)
	}
	old := config.Contexts[c.Context]
	named := clientcmdapi.NewConfig()
	named.CurrentContext = c.Name
	named.Contexts[c.Name] = &clientcmdapi.Context{Cluster: c.Name, AuthInfo: c.Name, Namespace: old.Namespace}
	named.Clusters[c.Name] = config.Clusters[old.Cluster]
	named.AuthInfos[c.Name] = config.AuthInfos[old.AuthInfo]
	if named.Clusters[c.Name] == nil || named.AuthInfos[c.Name] == nil {
		return nil, fmt.Errorf("cluster %s: context %s names cluster %q and user %q, and the kubeconfig lacks one of them",
			c.Name, c.Context, old.Cluster, old.AuthInfo)
	}
	return named, nil
}

func contextsOf(all clientcmdapi.Config) string {
	if len(all.Contexts) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(all.Contexts)), ", ")
}
