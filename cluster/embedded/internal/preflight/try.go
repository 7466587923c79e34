package preflight

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/command"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

// tryNamespaces starts a program in all the namespaces that a node has.
func tryNamespaces(ctx context.Context) error {
	_, err := command.Run(ctx, command.Command{
		Argv:       []string{"true"},
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
	})
	return err
}

// apart runs do on a thread with new namespaces. The thread is never given
// back, so it ends with the goroutine, and the namespaces with it.
func apart(flags int, do func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Unshare(flags); err != nil {
			result <- fmt.Errorf("unshare: %w", err)
			return
		}
		result <- do()
	}()
	return <-result
}

// tryOverlay mounts what a container's root is: an image of the cache folder
// below, memory above.
func tryOverlay(cache string) (err error) {
	lower, err := cacheDir(cache)
	if err != nil {
		return err
	}
	for _, statErr := os.Stat(lower); statErr != nil && lower != filepath.Dir(lower); _, statErr = os.Stat(lower) {
		lower = filepath.Dir(lower) // not there yet; its parent is on the same disk
	}
	scratch, err := os.MkdirTemp("", "meshfed-preflight-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(scratch)) }()
	return apart(unix.CLONE_NEWNS, func() error { return mountOverlay(lower, scratch) })
}

// mountOverlay runs in a mount namespace of its own and leaves the mounts to
// its end.
func mountOverlay(lower, scratch string) error {
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", scratch, "tmpfs", 0, "size=1m"); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	for _, dir := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(scratch, dir), 0o755); err != nil {
			return err
		}
	}
	escape := strings.NewReplacer(`\`, `\\`, `:`, `\:`, `,`, `\,`).Replace
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s",
		escape(lower), escape(filepath.Join(scratch, "upper")), escape(filepath.Join(scratch, "work")))
	if err := unix.Mount("overlay", filepath.Join(scratch, "root"), "overlay", 0, options); err != nil {
		return fmt.Errorf("mount overlay over %s: %w", lower, err)
	}
	return nil
}

func tryLinks() error {
	return apart(unix.CLONE_NEWNET, func() error {
		bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}
		if err := netlink.LinkAdd(bridge); err != nil {
			return fmt.Errorf("add a bridge: %w", err)
		}
		pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "v0"}, PeerName: "v1"}
		if err := netlink.LinkAdd(pair); err != nil {
			return fmt.Errorf("add a veth pair: %w", err)
		}
		if err := netlink.LinkSetMaster(pair, bridge); err != nil {
			return fmt.Errorf("put a veth on a bridge: %w", err)
		}
		return nil
	})
}

// nftRules use what kube-proxy's own rules use.
const nftRules = `table ip meshfed-preflight {
  set addresses { type ipv4_addr; }
  map services { type ipv4_addr . inet_proto . inet_service : verdict; }
  chain endpoint { meta mark set 1; ip protocol tcp dnat to 192.0.2.1:80; }
  chain service { numgen random mod 2 vmap { 0 : goto endpoint, 1 : goto endpoint }; }
  chain prerouting { type nat hook prerouting priority dstnat; ip daddr . meta l4proto . th dport vmap @services; }
  chain forward { type filter hook forward priority filter; ct state new ip daddr @addresses reject; }
  chain postrouting { type nat hook postrouting priority srcnat; meta mark 1 masquerade fully-random; }
}
`

func tryNft(ctx context.Context) error { return tryFilter(ctx, nftRules, "nft", "-f", "-") }

// iptablesRules are istio-init's in short.
const iptablesRules = `*nat
-N TO
-A TO -p tcp -j REDIRECT --to-ports 15001
-A OUTPUT -p tcp -m owner ! --uid-owner 1337 -j TO
-A PREROUTING -p tcp -m tcp ! --dport 15008 -j TO
COMMIT
`

func tryIptables(ctx context.Context) error {
	return tryFilter(ctx, iptablesRules, "iptables-nft-restore")
}

// tryFilter loads rules in a network namespace that ends with the program.
func tryFilter(ctx context.Context, rules, program string, args ...string) error {
	at, err := toolchain.FindProgram(exec.LookPath, program)
	if err != nil {
		return fmt.Errorf("%w: %s is not installed", errNotTried, program)
	}
	_, err = command.Run(ctx, command.Command{
		Argv: append([]string{at}, args...), Stdin: rules, Cloneflags: unix.CLONE_NEWNET,
	})
	return err
}
