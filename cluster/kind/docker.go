package kind

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/meshfed/meshfed/cluster/internal/command"
	"github.com/meshfed/meshfed/cluster/kind/internal/engine"
)

// labelLab is on the network of every lab; its value is the lab's name. What is
// on a network without it is not ours.
const labelLab = "dev.meshfed.lab"

// labelOwner is beside it and says whose it is: an engine may have labs of other
// users, and of other state folders, which are theirs to remove.
const labelOwner = "dev.meshfed.owner"

// clusterLabel is kind's own on every node.
const clusterLabel = "io.x-k8s.kind.cluster"

// docker is Docker's client, for one engine. kind runs the same client: see
// use.
type docker struct {
	// host is the engine's address; empty is the client's own idea.
	host string
	// owner is the value of labelOwner.
	owner string
}

// docker is the client for an engine, as this provider.
func (p *Provider) docker(host string) docker {
	name, err := os.Hostname()
	if err != nil {
		name = "unnamed"
	}
	sum := sha256.Sum256([]byte(name + "\x00" + p.stateDir))
	return docker{host: host, owner: hex.EncodeToString(sum[:8])}
}

// use makes kind in this process use the engine and the network: its library
// takes both from the environment only.
func (d docker) use(network string) error {
	set := map[string]string{"KIND_EXPERIMENTAL_DOCKER_NETWORK": network}
	if d.host != "" {
		set["DOCKER_HOST"] = d.host
	}
	for name, value := range set {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// users is the engine that the user's own client speaks to.
func (p *Provider) users() docker {
	host := os.Getenv("DOCKER_HOST")
	if host == p.engine().Host() {
		host = "" // use's word
	}
	return p.docker(host)
}

// run runs the client.
func (d docker) run(ctx context.Context, args ...string) (string, error) {
	program, err := engine.FindDocker()
	if err != nil {
		return "", fmt.Errorf("docker: %w: install docker.io", err)
	}
	env := os.Environ()
	if d.host != "" {
		env = append(env, "DOCKER_HOST="+d.host)
	}
	out, err := command.Run(ctx, command.Command{Argv: append([]string{program}, args...), Env: env})
	return strings.TrimSpace(out), err
}

// answers says whether the engine does.
func (d docker) answers(ctx context.Context) error {
	_, err := d.run(ctx, "version", "--format", "{{.Server.Version}}")
	return err
}

// load loads an archive unless the engine has the image, and removes earlier
// ones of the same repository that no container needs.
func (d docker) load(ctx context.Context, image, archive string) error {
	repository, _, _ := strings.Cut(image, ":")
	out, err := d.run(ctx, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository)
	if err != nil {
		return fmt.Errorf("images of %s: %w", repository, err)
	}
	for _, old := range strings.Fields(out) {
		if old != image {
			_, _ = d.run(ctx, "image", "rm", old) // one that is in use stays
		}
	}
	if _, err := d.run(ctx, "image", "inspect", "--format", "{{.Id}}", image); err == nil {
		return nil
	}
	if _, err := d.run(ctx, "load", "--quiet", "--input", archive); err != nil {
		return fmt.Errorf("load %s: %w", image, err)
	}
	return nil
}

// createNetwork makes the lab's network; an invalid prefix leaves the choice to
// the engine.
func (d docker) createNetwork(ctx context.Context, lab string, subnet netip.Prefix) error {
	args := []string{"network", "create", "--driver", "bridge", "--label", labelLab + "=" + lab, "--label", labelOwner + "=" + d.owner}
	if subnet.IsValid() {
		args = append(args, "--subnet", subnet.String())
	}
	_, err := d.run(ctx, append(args, networkName(lab))...)
	return err
}

func networkName(lab string) string { return "meshfed-" + lab }

// networkPrefix is the network's subnet and the engine's own address in it.
func (d docker) networkPrefix(ctx context.Context, lab string) (netip.Prefix, netip.Addr, error) {
	out, err := d.run(ctx, "network", "inspect", "--format", "{{json .IPAM.Config}}", networkName(lab))
	if err != nil {
		return netip.Prefix{}, netip.Addr{}, err
	}
	var configs []struct{ Subnet, Gateway string }
	if err := json.Unmarshal([]byte(out), &configs); err != nil {
		return netip.Prefix{}, netip.Addr{}, fmt.Errorf("network %s: %w", networkName(lab), err)
	}
	for _, c := range configs {
		prefix, err := netip.ParsePrefix(c.Subnet)
		if err != nil || !prefix.Addr().Is4() {
			continue
		}
		gateway := prefix.Masked().Addr().Next()
		if c.Gateway != "" {
			if gateway, err = netip.ParseAddr(c.Gateway); err != nil {
				return netip.Prefix{}, netip.Addr{}, fmt.Errorf("network %s: gateway: %w", networkName(lab), err)
			}
		}
		return prefix.Masked(), gateway, nil
	}
	return netip.Prefix{}, netip.Addr{}, fmt.Errorf("network %s has no IPv4 subnet: %s", networkName(lab), out)
}

// nodes are the containers of clusters of kind, those that have ended too.
func (d docker) nodes(ctx context.Context, clusters []clusterRecord) ([]string, error) {
	return d.containers(ctx, clusters, "--all")
}

// runningNodes are those of nodes that run.
func (d docker) runningNodes(ctx context.Context, clusters []clusterRecord) ([]string, error) {
	return d.containers(ctx, clusters)
}

func (d docker) containers(ctx context.Context, clusters []clusterRecord, options ...string) ([]string, error) {
	var all []string
	for _, c := range clusters {
		args := append([]string{"ps", "--quiet", "--no-trunc", "--filter", "label=" + clusterLabel + "=" + c.Kind}, options...)
		out, err := d.run(ctx, args...)
		if err != nil {
			return nil, err
		}
		all = append(all, strings.Fields(out)...)
	}
	return all, nil
}

// strays are the clusters on a lab's network, for a lab without a record.
func (d docker) strays(ctx context.Context, lab string) ([]clusterRecord, error) {
	id, err := d.networkID(ctx, lab)
	if err != nil || id == "" {
		return nil, err
	}
	out, err := d.run(ctx, "ps", "--all", "--filter", "network="+id, "--format", `{{.Label "`+clusterLabel+`"}}`)
	var clusters []clusterRecord
	for _, name := range strings.Fields(out) {
		clusters = append(clusters, clusterRecord{Kind: name})
	}
	return clusters, err
}

// networkID is empty if the lab has none. The label is asked for, too: a
// network that somebody gave the same name is somebody's.
func (d docker) networkID(ctx context.Context, lab string) (string, error) {
	out, err := d.run(ctx, "network", "ls", "--quiet", "--no-trunc", "--filter", "name=^"+networkName(lab)+"$", "--filter", "label="+labelLab+"="+lab, "--filter", "label="+labelOwner+"="+d.owner)
	return out, err
}

// removeTries bounds how often remove looks again: a request of a maker that
// was killed may be on its way through the engine.
const removeTries = 20

// remove removes the clusters' containers with their volumes, and the lab's
// network, and looks twice that nothing has come after it.
func (d docker) remove(ctx context.Context, lab string, clusters []clusterRecord) error {
	for _, c := range clusters {
		killOrphans(c.Kind)
	}
	for try, quiet := 0, 0; quiet < 2; try++ {
		if try == removeTries {
			return errors.New("new containers come as fast as they are removed: something is still making them")
		}
		found, err := d.removeOnce(ctx, lab, clusters)
		if err != nil {
			return err
		}
		if quiet++; found {
			quiet = 0
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(250 * time.Millisecond):
		}
	}
	return nil
}

func (d docker) removeOnce(ctx context.Context, lab string, clusters []clusterRecord) (found bool, err error) {
	nodes, err := d.nodes(ctx, clusters)
	if err != nil {
		return false, err
	}
	if len(nodes) > 0 {
		if _, err := d.run(ctx, append([]string{"rm", "--force", "--volumes"}, nodes...)...); err != nil && !gone(err) {
			return true, err
		}
	}
	id, err := d.networkID(ctx, lab)
	if err != nil || id == "" {
		return len(nodes) > 0, err
	}
	if _, err = d.run(ctx, "network", "rm", id); inUse(err) {
		err = nil // a container that came just now; the next round has it
	}
	return true, err
}

// killOrphans ends clients that a killed maker has left: they would go on
// making the cluster's containers.
func killOrphans(cluster string) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return
	}
	label := "\x00" + clusterLabel + "=" + cluster + "\x00"
	for _, file := range lines {
		line, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(line), "\x00run\x00") || !strings.Contains(string(line), label) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// inUse says whether the engine keeps a network for a container that is on it.
func inUse(err error) bool {
	var f *command.Failure
	return errors.As(err, &f) && strings.Contains(strings.Join(f.Tail, " "), "active endpoints")
}

// gone says whether the client complains only that something is not there.
func gone(err error) bool {
	var f *command.Failure
	if !errors.As(err, &f) || len(f.Tail) == 0 {
		return false
	}
	for _, line := range f.Tail {
		if !strings.Contains(line, "No such container") && !strings.Contains(line, "is already in progress") {
			return false
		}
	}
	return true
}

// labs are this owner's labs that have a network in the engine.
func (d docker) labs(ctx context.Context) ([]string, error) {
	out, err := d.run(ctx, "network", "ls", "--filter", "label="+labelLab, "--filter", "label="+labelOwner+"="+d.owner, "--format", `{{.Label "`+labelLab+`"}}`)
	return strings.Fields(out), err
}
