// Package toolchain gets the programs that a lab consists of: Kubernetes, etcd,
// CoreDNS and Istio built from pinned Go modules, the Bookinfo fixture and the
// program under test built from this module, and the stock Envoy binary. Each is got once and kept.
//
// It knows how programs are made, not what they are for: nothing of clusters,
// images or meshes.
package toolchain

import (
	"path/filepath"
	"slices"
)

// Tool is one program of the lab. The value is the name of its file.
type Tool string

// The programs of a lab.
const (
	KubeAPIServer         Tool = "kube-apiserver"
	KubeControllerManager Tool = "kube-controller-manager"
	KubeScheduler         Tool = "kube-scheduler"
	KubeProxy             Tool = "kube-proxy"
	Kubelet               Tool = "kubelet"
	Kubectl               Tool = "kubectl"
	Etcd                  Tool = "etcd"
	CoreDNS               Tool = "coredns"
	Istiod                Tool = "pilot-discovery"
	PilotAgent            Tool = "pilot-agent"
	Istioctl              Tool = "istioctl"
	Envoy                 Tool = "envoy"
	Bookinfo              Tool = "bookinfo"
	Federator             Tool = "federator"
)

// What a node of kind has besides; only NodeTools are these.
const (
	Kubeadm        Tool = "kubeadm"
	Containerd     Tool = "containerd"
	ContainerdShim Tool = "containerd-shim-runc-v2"
	Ctr            Tool = "ctr"
	Crictl         Tool = "crictl"
	CNIPtp         Tool = "ptp"
	CNIHostLocal   Tool = "host-local"
	CNIPortmap     Tool = "portmap"
	CNILoopback    Tool = "loopback"
	// Pause holds a pod's namespaces.
	Pause Tool = "pause"
	// RuncFit is runc on a host that lacks some of root's capabilities.
	RuncFit Tool = "runc-fit"
)

// All are the tools of a lab in the order in which they are got.
func All() []Tool { return append(toolsOf(sets()), Envoy) }

// NodeTools are those that EnsureNode gets.
func NodeTools() []Tool { return toolsOf(nodeSets()) }

func toolsOf(sets []set) []Tool {
	var all []Tool
	for _, s := range sets {
		all = append(all, s.tools()...)
	}
	return all
}

// file is a program that is there.
type file struct {
	path string
	// identity changes whenever the content may have changed.
	identity string
}

// Tools are programs that are there. The zero value holds none.
type Tools struct {
	// Dir holds a link to every tool, named as the tool: fit for a PATH. Its
	// own name changes when any of the tools does.
	Dir string
	// EnvoyVersion is what the Envoy binary says of itself ("1.39.3"), or
	// "unknown".
	EnvoyVersion string
	// EnvoyBootstrap is the bootstrap template of the very Istio that
	// pilot-agent is built from.
	EnvoyBootstrap string
	// NodeFiles is the folder of files that kind's own base image has; only
	// EnsureNode sets it.
	NodeFiles string

	files map[Tool]file
}

// Path is the absolute path of the tool's file; empty if these Tools lack it.
func (t Tools) Path(tool Tool) string { return t.files[tool].path }

// Identity tells this build of the tool from every other: whatever is made
// from the tool can be kept under it. Empty if these Tools lack it.
func (t Tools) Identity(tool Tool) string { return t.files[tool].identity }

// Of are Tools that stand at given paths, each identified by its path: for
// those who test against stand-ins.
func Of(paths map[Tool]string) Tools {
	t := Tools{files: map[Tool]file{}, EnvoyVersion: unknownVersion}
	for tool, path := range paths {
		t.files[tool] = file{path: path, identity: path}
	}
	return t
}

// has lists the tools that are there, sorted.
func (t Tools) has() []Tool {
	var list []Tool
	for tool := range t.files {
		list = append(list, tool)
	}
	slices.Sort(list)
	return list
}

// add takes in the tools of an entry of the cache.
func (t *Tools) add(dir string, tools ...Tool) {
	for _, tool := range tools {
		name := string(tool)
		t.files[tool] = file{
			path:     filepath.Join(dir, name),
			identity: filepath.Base(dir) + "/" + name,
		}
	}
}
