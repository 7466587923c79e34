package cri

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/image"
)

// Config is what a Server needs to know of its node.
type Config struct {
	// Socket is the path of the unix socket to serve on. Its directory must
	// exist; a stale socket of that name is replaced.
	Socket string
	// StateDir is the absolute path of a private directory on a tmpfs: the
	// containers' writable layers and the pods' files are in it.
	StateDir string
	// Images are all the images there are.
	Images image.Store
	// PodCIDR is the IPv4 prefix of the pods; its first address is their
	// gateway.
	PodCIDR netip.Prefix
	// Self re-executes this program as the inside of a container: the
	// program must call container.Main with the arguments behind these.
	Self []string
	// AllowHostNetwork lets pods use the node's network. False refuses them.
	AllowHostNetwork bool
	// StreamAddress is the host:port where exec, attach and port-forward
	// streams are served to kubelet. Empty means a free port on 127.0.0.1.
	StreamAddress string
	// Logger gets what no caller is told. Nil discards it.
	Logger *slog.Logger
}

// maxSocketPath is the kernel's limit without the closing zero, see unix(7).
const maxSocketPath = 107

func (c Config) validate() error {
	switch {
	case os.Geteuid() != 0:
		return errors.New("container runtime: must run as root of its node")
	case c.Socket == "":
		return errors.New("container runtime: no socket path is given")
	case len(c.Socket) > maxSocketPath:
		return fmt.Errorf("container runtime: socket path %s has %d characters, the kernel takes at most %d", c.Socket, len(c.Socket), maxSocketPath)
	case !filepath.IsAbs(c.StateDir):
		return fmt.Errorf("container runtime: state directory %q is not an absolute path", c.StateDir)
	case c.Images == nil:
		return errors.New("container runtime: no image store is given")
	case len(c.Self) == 0:
		return errors.New("container runtime: no command line for the inside of containers is given")
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.StreamAddress == "" {
		c.StreamAddress = "127.0.0.1:0"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
