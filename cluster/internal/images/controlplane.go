package images

import (
	"path"

	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// The names by which a kind node's manifests ask for what is made here. They
// follow the versions in the tools' modules: kubeadm asks for its own.
const (
	KubernetesVersion = "v1.36.3"
	EtcdTag           = "3.6.8-0"
	PauseImage        = "meshfed.local/pause:dev"
)

// controlPlane are the images that a node needs before anything can be loaded
// into it.
func controlPlane(lab, node toolchain.Tools, m machine) ([]recipe, error) {
	var list []recipe
	for _, component := range []struct {
		from  toolchain.Tools
		tool  toolchain.Tool
		image string
	}{
		{lab, toolchain.KubeAPIServer, "registry.k8s.io/kube-apiserver:" + KubernetesVersion},
		{lab, toolchain.KubeControllerManager, "registry.k8s.io/kube-controller-manager:" + KubernetesVersion},
		{lab, toolchain.KubeScheduler, "registry.k8s.io/kube-scheduler:" + KubernetesVersion},
		{lab, toolchain.KubeProxy, "registry.k8s.io/kube-proxy:" + KubernetesVersion},
		{lab, toolchain.Etcd, "registry.k8s.io/etcd:" + EtcdTag},
		{node, toolchain.Pause, PauseImage},
	} {
		r, err := rootly(component.from, m, component.tool)
		if err != nil {
			return nil, err
		}
		r.description.Names = []string{component.image}
		list = append(list, r)
	}
	return list, nil
}

// rootly is the image of one component, as root: the manifests that run it
// take away what it does not need.
func rootly(t toolchain.Tools, m machine, tool toolchain.Tool) (recipe, error) {
	r := base(string(tool), 0, "root")
	delete(r.entries, "/home/root")
	if tool == toolchain.KubeProxy {
		if err := r.packetFilters(m); err != nil {
			return r, err
		}
	}
	// kubeadm's manifests name the program without a folder, or in this one.
	at := path.Join("/usr/local/bin", string(tool))
	return r, r.entrypoint(m, t, tool, at)
}
