package cri

import (
	"sync"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/container"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/image"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/launch"
)

// ctr is a container: what was asked for, and what became of it.
type ctr struct {
	id      string
	pod     *sandbox
	config  *runtimeapi.ContainerConfig
	image   image.Image
	spec    container.Spec
	dir     string
	logPath string
	created time.Time

	// start is held while the container starts or is removed.
	start sync.Mutex

	// mu guards what follows; kubelet asks for it all the time.
	mu   sync.Mutex
	fate fate
	proc *launch.Process
	// mountNS identifies the container's processes: each has a mount
	// namespace that no other container's process is in.
	mountNS string
	out     *output
	// exited is closed when fate is final.
	exited chan struct{}
	// usedCPU is the largest CPU time seen, in nanoseconds: the sum over
	// processes falls when one ends, the counter must not.
	usedCPU uint64
}

// fate is how far a container has come.
type fate struct {
	state             runtimeapi.ContainerState
	started, finished time.Time
	exitCode          int
	reason, message   string
	user              container.User
}

// The reasons of an ended container, in the words that kubelet shows.
const (
	reasonCompleted  = "Completed"
	reasonError      = "Error"
	reasonStartError = "StartError"
)

// startErrorCode is the exit code of a container whose command never ran, as
// containerd reports it.
const startErrorCode = 128

func (c *ctr) process() *launch.Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.proc
}

func (c *ctr) currentFate() fate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fate
}

func (c *ctr) settle(change func(*fate)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.fate)
}

func (c *ctr) namespaceOptions() *runtimeapi.NamespaceOption {
	return c.config.GetLinux().GetSecurityContext().GetNamespaceOptions()
}

// status is the container as CRI describes it.
func (c *ctr) status() *runtimeapi.ContainerStatus {
	f := c.currentFate()
	st := &runtimeapi.ContainerStatus{
		Id: c.id, Metadata: c.config.GetMetadata(), State: f.state, CreatedAt: c.created.UnixNano(),
		Image:    &runtimeapi.ImageSpec{Image: c.image.Names[0], UserSpecifiedImage: c.config.GetImage().GetUserSpecifiedImage()},
		ImageRef: c.image.Digest(), ImageId: c.image.ID,
		Labels: c.config.GetLabels(), Annotations: c.config.GetAnnotations(), Mounts: c.config.GetMounts(),
		LogPath: c.logPath, Reason: f.reason, Message: f.message, ExitCode: int32(f.exitCode),
		StopSignal: c.config.GetStopSignal(),
		Resources:  &runtimeapi.ContainerResources{Linux: c.config.GetLinux().GetResources()},
	}
	if !f.started.IsZero() {
		st.StartedAt = f.started.UnixNano()
		user := &runtimeapi.LinuxContainerUser{Uid: int64(f.user.UID), Gid: int64(f.user.GID)}
		for _, g := range f.user.Groups {
			user.SupplementalGroups = append(user.SupplementalGroups, int64(g))
		}
		st.User = &runtimeapi.ContainerUser{Linux: user}
	}
	if !f.finished.IsZero() {
		st.FinishedAt = f.finished.UnixNano()
	}
	return st
}
