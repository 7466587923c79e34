package toolchain

import (
	"path"
	"path/filepath"
	"slices"
	"time"
)

// setName names what is built together, from one Go module.
type setName string

const (
	kubernetes setName = "kubernetes"
	etcd       setName = "etcd"
	istio      setName = "istio"
	coredns    setName = "coredns"
	fixtures   setName = "fixtures"
	commands   setName = "commands"

	kubeadm    setName = "kubeadm"
	containerd setName = "containerd"
	critools   setName = "cri-tools"
	cni        setName = "cni"
	nodeparts  setName = "node"
)

// mainModule is the module of this source tree.
const mainModule = "github.com/meshfed/meshfed"

// kubernetesVersion is the version that the Kubernetes commands say they are;
// without it kubelet and kube-apiserver call themselves v0.0.0 and clients
// that check for skew complain. It follows tools/kubernetes/go.mod.
const kubernetesVersion = "-X k8s.io/component-base/version.gitVersion=v1.36.3" +
	" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"

// istioVersion is the version that istiod, the agents and istioctl say they
// are; without it each says "unknown", and nobody sees which proxies are behind.
// It follows tools/istio/go.mod.
const istioVersion = "-X istio.io/istio/pkg/version.buildVersion=1.31-dev.eed52ebb66ad" +
	" -X istio.io/istio/pkg/version.buildGitRevision=eed52ebb66ad -X istio.io/istio/pkg/version.buildStatus=Clean"

// program is a tool and the package that is its source.
type program struct {
	tool    Tool
	pkg     string
	builtAs string // the file that go build makes of it
}

// extra is a file or a folder of a dependency that is kept beside the set's
// programs.
type extra struct {
	module, path, as string
}

// set is a group of programs built in one go.
type set struct {
	name     setName
	dir      string // of its module, relative to the source tree
	programs []program
	ldflags  string
	extras   []extra
	// cold and link are how long a build took on two cores with an empty and
	// with a full build cache (measured).
	cold, link time.Duration
	// scratch and size are what a cold build takes in the Go caches and what
	// the programs take (measured, rounded up).
	scratch, size int64
}

const mb = 1 << 20

// bootstrapFile is what pilot-agent's template is called in the istio set.
const bootstrapFile = "envoy_bootstrap_tmpl.json"

// sets are all of them in the order in which they are built: the long ones
// that are most likely to fail for want of a network first.
func sets() []set {
	return []set{
		{
			name: kubernetes, dir: "cluster/embedded/tools/kubernetes", ldflags: kubernetesVersion,
			programs: programs("k8s.io/kubernetes/cmd", KubeAPIServer, KubeControllerManager, KubeScheduler,
				KubeProxy, Kubelet, Kubectl),
			cold: 270 * time.Second, link: 25 * time.Second, scratch: 3700 * mb, size: 500 * mb,
		},
		{
			name: etcd, dir: "cluster/embedded/tools/etcd",
			programs: []program{{tool: Etcd, pkg: "go.etcd.io/etcd/server/v3", builtAs: "server"}},
			cold:     67 * time.Second, link: 3 * time.Second, scratch: 550 * mb, size: 30 * mb,
		},
		{
			name: istio, dir: "cluster/embedded/tools/istio", ldflags: istioVersion,
			programs: append(programs("istio.io/istio/pilot/cmd", Istiod, PilotAgent),
				programs("istio.io/istio/istioctl/cmd", Istioctl)...),
			extras: []extra{{module: "istio.io/istio", path: "tools/packaging/common/envoy_bootstrap.json", as: bootstrapFile}},
			cold:   330 * time.Second, link: 15 * time.Second, scratch: 3000 * mb, size: 280 * mb,
		},
		{
			name: coredns, dir: "cluster/embedded/tools/coredns",
			programs: programs("github.com/coredns", CoreDNS),
			cold:     86 * time.Second, link: 6 * time.Second, scratch: 1600 * mb, size: 80 * mb,
		},
		{
			name: fixtures, dir: ".",
			programs: programs(mainModule+"/fixtures", Bookinfo),
			cold:     20 * time.Second, link: 2 * time.Second, scratch: 100 * mb, size: 20 * mb,
		},
		{
			name: commands, dir: ".",
			programs: programs(mainModule+"/cmd", Federator),
			cold:     125 * time.Second, link: 4 * time.Second, scratch: 1100 * mb, size: 40 * mb,
		},
	}
}

// nodeFilesDir is what the files of kind's base image are called in their set.
const nodeFilesDir = "node-files"

// nodeSets are what a node of kind has besides the lab's sets.
func nodeSets() []set {
	plugins := "github.com/containernetworking/plugins/plugins"
	return []set{
		{
			name: kubeadm, dir: "cluster/kind/tools/kubeadm", ldflags: kubernetesVersion,
			programs: programs("k8s.io/kubernetes/cmd", Kubeadm),
			cold:     200 * time.Second, link: 5 * time.Second, scratch: 1200 * mb, size: 80 * mb,
		},
		{
			name: containerd, dir: "cluster/kind/tools/containerd",
			programs: programs("github.com/containerd/containerd/v2/cmd", Containerd, ContainerdShim, Ctr),
			cold:     150 * time.Second, link: 8 * time.Second, scratch: 1300 * mb, size: 110 * mb,
		},
		{
			name: critools, dir: "cluster/kind/tools/critools",
			programs: programs("sigs.k8s.io/cri-tools/cmd", Crictl),
			cold:     60 * time.Second, link: 3 * time.Second, scratch: 600 * mb, size: 40 * mb,
		},
		{
			name: cni, dir: "cluster/kind/tools/cni",
			programs: slices.Concat(programs(plugins+"/main", CNIPtp, CNILoopback),
				programs(plugins+"/ipam", CNIHostLocal), programs(plugins+"/meta", CNIPortmap)),
			cold: 30 * time.Second, link: 3 * time.Second, scratch: 150 * mb, size: 20 * mb,
		},
		{
			name: nodeparts, dir: ".",
			programs: programs(mainModule+"/cluster/kind/node", Pause, RuncFit),
			extras:   []extra{{module: "sigs.k8s.io/kind", path: "images/base/files", as: nodeFilesDir}},
			cold:     10 * time.Second, link: time.Second, scratch: 50 * mb, size: 10 * mb,
		},
	}
}

// programs are the packages below parent that are named as the tools.
func programs(parent string, tools ...Tool) []program {
	var list []program
	for _, t := range tools {
		list = append(list, program{tool: t, pkg: path.Join(parent, string(t)), builtAs: string(t)})
	}
	return list
}

func (s set) tools() []Tool {
	var list []Tool
	for _, p := range s.programs {
		list = append(list, p.tool)
	}
	return list
}

func (s set) packages() []string {
	var list []string
	for _, p := range s.programs {
		list = append(list, p.pkg)
	}
	return list
}

// flags are what both go build and the key of its result depend on. The
// fixtures come from a source tree under version control; a stamp of its
// revision would make every commit another binary.
func (s set) flags() []string {
	ldflags := "-s -w"
	if s.ldflags != "" {
		ldflags += " " + s.ldflags
	}
	return []string{"-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", ldflags}
}

// module is the folder of the set's go.mod.
func (s set) module(source string) string { return filepath.Join(source, filepath.FromSlash(s.dir)) }

// estimate is how long a build should take if that fraction of the packages
// must be compiled. Compiling scales with the cores, more or less.
func (s set) estimate(fraction float64, cores int) time.Duration {
	twoCores := s.link + time.Duration(fraction*float64(s.cold-s.link))
	return twoCores * 2 / time.Duration(max(1, cores))
}
