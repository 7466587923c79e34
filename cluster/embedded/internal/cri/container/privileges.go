package container

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dropTo makes the calling thread the user with exactly the capabilities asked
// for. The system calls are made raw: Go's own would change every thread of a
// process that execve is about to end anyway.
func dropTo(user User, p Process) error {
	held, err := heldCapabilities()
	if err != nil {
		return err
	}
	// What the node itself lacks cannot be given.
	keep := p.Capabilities & held
	if err := limitBounding(keep); err != nil {
		return err
	}
	// Without it the change of the user id takes all capabilities along.
	if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("keep capabilities: %w", err)
	}
	if err := setIDs(user); err != nil {
		return err
	}
	ambient := p.Ambient & keep
	if err := setCapabilities(keep, ambient); err != nil {
		return err
	}
	if err := raiseAmbient(ambient); err != nil {
		return err
	}
	if p.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("forbid new privileges: %w", err)
		}
	}
	return nil
}

func capHeader() *unix.CapUserHeader {
	return &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
}

func heldCapabilities() (CapabilitySet, error) {
	var data [2]unix.CapUserData
	if err := unix.Capget(capHeader(), &data[0]); err != nil {
		return 0, fmt.Errorf("read capabilities: %w", err)
	}
	return CapabilitySet(data[0].Permitted) | CapabilitySet(data[1].Permitted)<<32, nil
}

func limitBounding(keep CapabilitySet) error {
	for c := 0; c <= unix.CAP_LAST_CAP; c++ {
		if keep&(1<<c) != 0 {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0)
		if err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: an older kernel without it
			return fmt.Errorf("give up capability %s: %w", capabilityNames()[c], err)
		}
	}
	return nil
}

func setIDs(u User) error {
	groups := make([]uint32, len(u.Groups))
	for i, g := range u.Groups {
		groups[i] = uint32(g)
	}
	var first unsafe.Pointer
	if len(groups) > 0 {
		first = unsafe.Pointer(&groups[0])
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(first), 0); e != 0 {
		return fmt.Errorf("set groups %v: %w", u.Groups, e)
	}
	gid, uid := uintptr(u.GID), uintptr(u.UID)
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESGID, gid, gid, gid); e != 0 {
		return fmt.Errorf("become group %d: %w", u.GID, e)
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uid, uid, uid); e != 0 {
		return fmt.Errorf("become user %d: %w", u.UID, e)
	}
	return nil
}

func setCapabilities(keep, inheritable CapabilitySet) error {
	var data [2]unix.CapUserData
	for i := range data {
		shift := 32 * i
		data[i] = unix.CapUserData{
			Effective: uint32(keep >> shift), Permitted: uint32(keep >> shift), Inheritable: uint32(inheritable >> shift),
		}
	}
	if err := unix.Capset(capHeader(), &data[0]); err != nil {
		return fmt.Errorf("set capabilities: %w", err)
	}
	return nil
}

func raiseAmbient(ambient CapabilitySet) error {
	for c := 0; c <= unix.CAP_LAST_CAP; c++ {
		if ambient&(1<<c) == 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(c), 0, 0); err != nil {
			return fmt.Errorf("raise ambient capability %s: %w", capabilityNames()[c], err)
		}
	}
	return nil
}
