package images

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// The users of Istio's own images and of the fixtures.
const (
	istioUser   = 1337
	bookUser    = 1000
	corednsUser = 65532
	// federatorUser is nobody in particular.
	federatorUser = 65532
)

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// recipes are all images of a lab.
func recipes(t toolchain.Tools, m machine) ([]recipe, error) {
	return listed(t, m, istiod, proxy, coredns, bookinfo, federator)
}

func listed(t toolchain.Tools, m machine, makers ...func(toolchain.Tools, machine) (recipe, error)) ([]recipe, error) {
	var list []recipe
	for _, make := range makers {
		r, err := make(t, m)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

func istiod(t toolchain.Tools, m machine) (recipe, error) {
	r := base("istiod", istioUser, "istio-proxy")
	r.description.Names = []string{"meshfed.local/pilot:dev"}
	r.directory("/var/lib/istio", 0o755, istioUser)
	r.directory("/var/run/secrets", 0o755, istioUser)
	r.directory("/etc/cacerts", 0o755, 0)
	if err := r.shell(m); err != nil {
		return r, err
	}
	return r, r.entrypoint(m, t, toolchain.Istiod, "/usr/local/bin/pilot-discovery")
}

// proxy is the sidecar's, the gateways' and istio-init's image.
func proxy(t toolchain.Tools, m machine) (recipe, error) {
	r := base("proxyv2", istioUser, "istio-proxy")
	r.description.Names = []string{"meshfed.local/proxyv2:dev"}
	// pilot-agent starts in / and writes to these by relative paths.
	for _, dir := range []string{
		"/etc/istio/proxy", "/etc/istio/pod", "/etc/istio/config", "/var/lib/istio/data", "/var/lib/istio/envoy",
		"/var/run/secrets/istio", "/var/run/secrets/tokens", "/var/run/secrets/credential-uds",
		"/var/run/secrets/workload-spiffe-uds", "/var/run/secrets/workload-spiffe-credentials",
	} {
		r.directory(dir, 0o755, istioUser)
	}
	if err := r.takeFile(t.EnvoyBootstrap, "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json"); err != nil {
		return r, err
	}
	if err := r.tool(m, t, toolchain.Envoy, "/usr/local/bin/envoy"); err != nil {
		return r, err
	}
	if err := r.packetFilters(m); err != nil {
		return r, err
	}
	if err := r.shell(m); err != nil {
		return r, err
	}
	return r, r.entrypoint(m, t, toolchain.PilotAgent, "/usr/local/bin/pilot-agent")
}

// coredns has nothing but its binary, as the original. It listens on port 53
// as an ordinary user: the runtime lets every port be bound in a pod.
func coredns(t toolchain.Tools, m machine) (recipe, error) {
	r := base("coredns", corednsUser, "nonroot")
	r.description.Names = []string{"registry.k8s.io/coredns/coredns:v1.14.3", "meshfed.local/coredns:dev"}
	return r, r.entrypoint(m, t, toolchain.CoreDNS, "/coredns")
}

func bookinfo(t toolchain.Tools, m machine) (recipe, error) {
	r := base("bookinfo", bookUser, "bookinfo")
	r.description.Names = []string{"meshfed.local/bookinfo:dev"}
	if err := r.shell(m); err != nil {
		return r, err
	}
	return r, r.entrypoint(m, t, toolchain.Bookinfo, "/usr/local/bin/bookinfo")
}

// federator has nothing but its binary: it speaks to its API server only.
func federator(t toolchain.Tools, m machine) (recipe, error) {
	r := base("federator", federatorUser, "nonroot")
	r.description.Names = []string{"meshfed.local/federator:dev"}
	return r, r.entrypoint(m, t, toolchain.Federator, "/usr/local/bin/federator")
}

// base is what every root file system has: the folders that a runtime mounts
// over, the files that it writes, and the users.
func base(name string, uid int, user string) recipe {
	r := recipe{name: name, entries: map[string]entry{}}
	r.description.Env = []string{searchPath}
	r.description.WorkingDir = "/"
	r.description.User = fmt.Sprintf("%d:%d", uid, uid)
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		r.directory("/usr/"+dir, 0o755, 0)
		r.symlink("/"+dir, "usr/"+dir)
	}
	for _, dir := range []string{"/dev", "/proc", "/sys", "/run", "/etc/ssl/certs", "/var/log", "/var/run/secrets"} {
		r.directory(dir, 0o755, 0)
	}
	r.directory("/root", 0o700, 0)
	r.directory("/tmp", 0o1777, 0)
	r.directory("/var/tmp", 0o1777, 0)
	r.directory("/home/"+user, 0o755, uid)
	r.text("/etc/passwd", fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\n%s:x:%d:%d::/home/%s:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", user, uid, uid, user))
	r.text("/etc/group", fmt.Sprintf("root:x:0:\n%s:x:%d:\nnogroup:x:65534:\n", user, uid))
	r.text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
	for _, file := range []string{"/etc/hosts", "/etc/resolv.conf", "/etc/hostname"} {
		r.text(file, "")
	}
	return r
}

// tool puts a tool of the lab into the image, with its libraries if it has any.
func (r recipe) tool(m machine, t toolchain.Tools, tool toolchain.Tool, to string) error {
	from := t.Path(tool)
	if from == "" {
		return fmt.Errorf("image %s: the tool %s is missing", r.name, tool)
	}
	if err := r.takeLibraries(m, from); err != nil {
		return fmt.Errorf("image %s: %w", r.name, err)
	}
	r.copy(to, 0o755, from, t.Identity(tool))
	return nil
}

func (r *recipe) entrypoint(m machine, t toolchain.Tools, tool toolchain.Tool, at string) error {
	r.description.Entrypoint = []string{at}
	return r.tool(m, t, tool, at)
}

// shell puts in what a person uses in `kubectl exec`. Only a few programs can
// be counted on; of the others an image has what this machine has.
func (r recipe) shell(m machine) error {
	for _, name := range []string{"sh", "ls", "cat", "env", "sleep", "curl"} {
		if err := r.takeProgram(m, name, "/usr/bin/"+name, required); err != nil {
			return err
		}
	}
	for _, name := range []string{
		"awk", "base64", "basename", "bash", "chmod", "cp", "cut", "date", "dd", "df", "dirname", "du", "echo",
		"false", "find", "getent", "grep", "head", "hostname", "id", "ip", "kill", "ln", "mkdir", "mv", "openssl",
		"printf", "ps", "pwd", "readlink", "rm", "sed", "seq", "sort", "ss", "stat", "stty", "tail", "tee", "test",
		"timeout", "touch", "tr", "true", "uname", "uniq", "wc", "xargs",
	} {
		if err := r.takeProgram(m, name, "/usr/bin/"+name, optional); err != nil {
			return err
		}
	}
	return r.tlsFiles()
}

// tlsFiles are the public authorities, which pilot-agent wants to name as the
// system's own, and OpenSSL's defaults. A machine may lack either.
func (r recipe) tlsFiles() error {
	for _, at := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/openssl.cnf"} {
		if _, err := os.Stat(at); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := r.takeFile(at, at); err != nil {
			return err
		}
	}
	r.symlink("/usr/lib/ssl/openssl.cnf", "/etc/ssl/openssl.cnf")
	r.symlink("/usr/lib/ssl/certs", "/etc/ssl/certs")
	return nil
}

// packetFilters puts in both makes of iptables and nft, since istio-init looks
// at what it finds to choose between them.
func (r recipe) packetFilters(m machine) error {
	if err := r.takeProgram(m, "nft", "/usr/sbin/nft", required); err != nil {
		return err
	}
	for multi, need := range map[string]necessity{"xtables-nft-multi": required, "xtables-legacy-multi": optional} {
		if err := r.takeProgram(m, multi, "/usr/sbin/"+multi, need); err != nil {
			return err
		}
	}
	for _, family := range []string{"iptables", "ip6tables"} {
		for _, verb := range []string{"", "-save", "-restore"} {
			r.symlink("/usr/sbin/"+family+verb, "xtables-nft-multi")
			r.symlink("/usr/sbin/"+family+"-nft"+verb, "xtables-nft-multi")
			if _, ok := r.entries["/usr/sbin/xtables-legacy-multi"]; ok {
				r.symlink("/usr/sbin/"+family+"-legacy"+verb, "xtables-legacy-multi")
			}
		}
	}
	return r.extensions(m)
}

// extensions are iptables' matches and targets, loaded by absolute path.
func (r recipe) extensions(m machine) error {
	found, err := filepath.Glob("/usr/lib*/xtables/*.so")
	if err != nil {
		return err
	}
	multiarch, err := filepath.Glob("/usr/lib/*/xtables/*.so")
	if err != nil {
		return err
	}
	found = append(found, multiarch...)
	if len(found) == 0 {
		return fmt.Errorf("image %s: no iptables extensions in /usr/lib*/xtables: install the package iptables", r.name)
	}
	for _, at := range found {
		if err := r.takeBinary(m, at, path.Clean(at)); err != nil {
			return fmt.Errorf("image %s: %w", r.name, err)
		}
	}
	return nil
}
