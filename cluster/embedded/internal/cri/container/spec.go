// Package container is the inside of a container: the program that turns itself
// into the container's process.
//
// The runtime re-executes its own binary in new namespaces; Main then builds the
// root file system, gives up what the container may not have and becomes the
// container's command by execve. Until that moment it is trusted and reads one
// specification from its parent; whatever goes wrong is reported to the parent
// in words. The package must not know Kubernetes, images or networks.
package container

import "fmt"

// Mode is what a re-executed binary shall become; it is its only argument.
type Mode string

// The modes of Main.
const (
	// ModeInit makes a container from a Spec.
	ModeInit Mode = "init"
	// ModeExec joins the mount namespace of a running container.
	ModeExec Mode = "exec"
	// ModePause is the first process of a PID namespace that containers of
	// a pod share: it reaps orphans and does nothing else.
	ModePause Mode = "pause"
)

// The file descriptors that the parent hands over, behind the standard three.
const (
	// FDSpec is a pipe with the JSON of a Spec.
	FDSpec = 3 + iota
	// FDReport is a SOCK_SEQPACKET socket for Reports.
	FDReport
	// FDSelf is the binary itself, on a read-only mount.
	FDSelf
	// FDMountNS is the mount namespace to join, in ModeExec only.
	FDMountNS
)

// Spec is all that the inside must know.
type Spec struct {
	// Root is used in ModeInit only.
	Root    Root
	Process Process
}

// Root is the container's file system.
type Root struct {
	// Image is the directory of the read-only lower layer; Upper and Work
	// are those of the writable one, on one file system; Target is an empty
	// directory where they are put together. All are absolute.
	Image, Upper, Work, Target string
	// Readonly makes the file system read-only after all mounts.
	Readonly bool
	// WritableSys leaves /sys writable.
	WritableSys bool
	// SharedMemory is the pod's directory for /dev/shm.
	SharedMemory string
	// Mounts are put on top in this order.
	Mounts []Mount
	// MaskedPaths are hidden, ReadonlyPaths made read-only; those that do
	// not exist are left out.
	MaskedPaths, ReadonlyPaths []string
	// WorkingDir is made if it is not there.
	WorkingDir string
}

// Propagation says whether mounts made later cross the container's border.
type Propagation string

// The propagation modes; the zero value is private.
const (
	Private         Propagation = ""
	HostToContainer Propagation = "host-to-container"
	Bidirectional   Propagation = "bidirectional"
)

// Mount binds a file or directory of the node into the container.
type Mount struct {
	// Source is a path on the node, Target one inside the container: links
	// in it are followed inside the container only.
	Source, Target string
	Readonly       bool
	// Recursive makes Readonly include the mounts below Source.
	Recursive   bool
	Propagation Propagation
}

// Process is what runs.
type Process struct {
	// Args are the command and its arguments; the command is looked up in
	// the container's PATH.
	Args []string
	// Env are NAME=value; PATH and HOME get defaults.
	Env        []string
	WorkingDir string
	User       UserSpec
	// Capabilities are kept, all others are given up for good.
	Capabilities CapabilitySet
	// Ambient capabilities survive the execve of an unprivileged user.
	Ambient         CapabilitySet
	NoNewPrivileges bool
	// Terminal makes a pseudo-terminal and reports its master end.
	Terminal bool
	// Stdin says that file descriptor 0 is connected; otherwise it becomes
	// the container's /dev/null.
	Stdin bool
}

// Event is the kind of a Report.
type Event string

// The events of a start, in order. The parent sees the end of the stream when
// execve has succeeded.
const (
	// EventUser tells who the process will be.
	EventUser Event = "user"
	// EventConsole carries the terminal's master as a file descriptor.
	EventConsole Event = "console"
	// EventExec comes right before execve. An end of the stream without it
	// means that the process died on its way.
	EventExec Event = "exec"
	// EventFailed ends a start.
	EventFailed Event = "failed"
)

// Report is one message of the inside to its parent.
type Report struct {
	Event Event
	User  User   `json:",omitzero"`
	Error string `json:",omitempty"`
}

func (p Process) validate() error {
	if len(p.Args) == 0 {
		return fmt.Errorf("no command: neither the pod nor its image names one")
	}
	return nil
}
