package cri

import (
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/launch"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/namespaces"
)

// sandbox is a pod: its namespaces and files. There is no process in it except
// its containers', and the pause process if they share a PID namespace.
type sandbox struct {
	id      string
	config  *runtimeapi.PodSandboxConfig
	dir     string
	created time.Time
	// hostNetwork pods have no network and host name of their own.
	hostNetwork bool
	ns          namespaces.Set
	addr        netip.Addr
	pause       *launch.Process

	// life is held for reading while a container starts, for writing while
	// the pod stops: no container can be born into a dead pod.
	life sync.RWMutex
	// stopped is guarded by life and, for readers of the state alone, by
	// Server.mu; it is written under both.
	stopped bool
}

// newID is a random id of the form that other runtimes use.
func newID() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

func (p *sandbox) state() runtimeapi.PodSandboxState {
	if p.stopped {
		return runtimeapi.PodSandboxState_SANDBOX_NOTREADY
	}
	return runtimeapi.PodSandboxState_SANDBOX_READY
}

func (p *sandbox) file(name string) string { return filepath.Join(p.dir, name) }

func (p *sandbox) namespaceOptions() *runtimeapi.NamespaceOption {
	return p.config.GetLinux().GetSecurityContext().GetNamespaceOptions()
}

// hostName is the name that the pod's containers see.
func (p *sandbox) hostName() string {
	if p.config.GetHostname() != "" {
		return p.config.GetHostname()
	}
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// byID finds an entry by its id or by a prefix of it that fits no other, as
// command-line tools abbreviate it.
func byID[T any](entries map[string]T, id, kind string) (T, error) {
	if e, ok := entries[id]; ok {
		return e, nil
	}
	var found []T
	for full, e := range entries {
		if id != "" && strings.HasPrefix(full, id) {
			found = append(found, e)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	var none T
	if len(found) > 1 {
		return none, status.Errorf(codes.InvalidArgument, "%s %q: %d ids begin so", kind, id, len(found))
	}
	return none, status.Errorf(codes.NotFound, "%s %q: not found", kind, id)
}

func (s *Server) sandbox(id string) (*sandbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return byID(s.sandboxes, id, "pod sandbox")
}

func (s *Server) container(id string) (*ctr, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return byID(s.containers, id, "container")
}

// allSandboxes is in order of age, newest first, as other runtimes list them.
func (s *Server) allSandboxes() []*sandbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*sandbox
	for _, p := range s.sandboxes {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *sandbox) int { return b.created.Compare(a.created) })
	return all
}

func (s *Server) allContainers() []*ctr {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*ctr
	for _, c := range s.containers {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *ctr) int { return b.created.Compare(a.created) })
	return all
}

func (s *Server) containersOf(p *sandbox) []*ctr {
	return slices.DeleteFunc(s.allContainers(), func(c *ctr) bool { return c.pod != p })
}
