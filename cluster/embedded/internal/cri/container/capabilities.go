package container

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// CapabilitySet is a set of Linux capabilities, a bit each.
type CapabilitySet uint64

// AllCapabilities is every capability that the kernel may know.
const AllCapabilities CapabilitySet = 1<<(unix.CAP_LAST_CAP+1) - 1

// capabilityNames is in the kernel's order, by number from 0.
func capabilityNames() []string {
	return strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
		LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
		SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD
		LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ
		PERFMON BPF CHECKPOINT_RESTORE`)
}

// DefaultCapabilities are what containers get unless the pod says otherwise:
// containerd's set.
func DefaultCapabilities() CapabilitySet {
	var s CapabilitySet
	for _, c := range []int{
		unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FSETID, unix.CAP_FOWNER, unix.CAP_MKNOD, unix.CAP_NET_RAW,
		unix.CAP_SETGID, unix.CAP_SETUID, unix.CAP_SETFCAP, unix.CAP_SETPCAP, unix.CAP_NET_BIND_SERVICE,
		unix.CAP_SYS_CHROOT, unix.CAP_KILL, unix.CAP_AUDIT_WRITE,
	} {
		s |= 1 << c
	}
	return s
}

// Adjust adds and drops capabilities by name, with or without the prefix CAP_.
// ALL is taken first on either side, so that "drop ALL, add X" means only X.
func (s CapabilitySet) Adjust(add, drop []string) (CapabilitySet, error) {
	adds, err := ParseCapabilities(add)
	if err != nil {
		return 0, err
	}
	drops, err := ParseCapabilities(drop)
	if err != nil {
		return 0, err
	}
	if adds == AllCapabilities {
		return adds &^ drops, nil
	}
	if drops == AllCapabilities {
		return adds, nil
	}
	return (s | adds) &^ drops, nil
}

// ParseCapabilities is the set of the named capabilities; ALL is every one.
func ParseCapabilities(names []string) (CapabilitySet, error) {
	var s CapabilitySet
	for _, name := range names {
		c, err := parseCapability(name)
		if err != nil {
			return 0, err
		}
		s |= c
	}
	return s, nil
}

func parseCapability(name string) (CapabilitySet, error) {
	short := strings.TrimPrefix(strings.ToUpper(name), "CAP_")
	if short == "ALL" {
		return AllCapabilities, nil
	}
	for i, n := range capabilityNames() {
		if n == short {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("capability %q: no such capability, want ALL or a name such as NET_ADMIN", name)
}
