// Package namespaces makes, keeps and enters Linux namespaces.
//
// A namespace belongs to a thread, while Go moves goroutines between threads;
// so everything here runs on threads that are locked, used once and thrown
// away. The package must not know what the namespaces are for: pods, containers
// and networks are its callers' business.
package namespaces

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Kind is a kind of namespace. The zero value is none.
type Kind int

// The kinds that can be made or entered here. Mount namespaces are absent on
// purpose: a thread cannot enter one without giving up its shared file system
// state, which the container package does after its own re-execution.
const (
	Net Kind = iota + 1
	IPC
	UTS
	PID
)

type kindFacts struct {
	flag int
	file string
}

func (k Kind) facts() kindFacts {
	switch k {
	case Net:
		return kindFacts{unix.CLONE_NEWNET, "net"}
	case IPC:
		return kindFacts{unix.CLONE_NEWIPC, "ipc"}
	case UTS:
		return kindFacts{unix.CLONE_NEWUTS, "uts"}
	case PID:
		return kindFacts{unix.CLONE_NEWPID, "pid"}
	}
	return kindFacts{}
}

func (k Kind) String() string { return k.facts().file }

// Handle keeps one namespace alive by an open file.
type Handle struct {
	Kind Kind
	File *os.File
}

// Set is a group of namespaces, at most one of a kind. The empty set is the
// caller's own namespaces. A Set may be entered concurrently until it is closed.
type Set []Handle

// New makes a namespace of each kind and runs setup inside them. They live
// until the set is closed and no process is left in them. PID namespaces cannot
// be made this way: they begin with their first process.
func New(setup func() error, kinds ...Kind) (Set, error) {
	var set Set
	err := onThread(func() error {
		flags := 0
		for _, k := range kinds {
			flags |= k.facts().flag
		}
		if err := unix.Unshare(flags); err != nil {
			return fmt.Errorf("make namespaces %v: %w", kinds, err)
		}
		for _, k := range kinds {
			h, err := open(fmt.Sprintf("/proc/thread-self/ns/%s", k), k)
			if err != nil {
				return err
			}
			set = append(set, h)
		}
		return setup()
	})
	if err != nil {
		return nil, errors.Join(err, set.Close())
	}
	return set, nil
}

// OfProcess opens a namespace of a running process.
func OfProcess(pid int, k Kind) (Handle, error) {
	return open(fmt.Sprintf("/proc/%d/ns/%s", pid, k), k)
}

func open(path string, k Kind) (Handle, error) {
	f, err := os.Open(path)
	if err != nil {
		return Handle{}, fmt.Errorf("open %s namespace: %w", k, err)
	}
	return Handle{Kind: k, File: f}, nil
}

// Do runs fn on a thread inside the namespaces and returns its error. Processes
// that fn starts are born there; for a PID namespace only they are in it.
func (s Set) Do(fn func() error) error {
	return onThread(func() error {
		for _, h := range s {
			if err := unix.Setns(int(h.File.Fd()), h.Kind.facts().flag); err != nil {
				return fmt.Errorf("enter %s namespace: %w", h.Kind, err)
			}
		}
		return fn()
	})
}

// Get is the handle of that kind, if the set has one.
func (s Set) Get(k Kind) (Handle, bool) {
	for _, h := range s {
		if h.Kind == k {
			return h, true
		}
	}
	return Handle{}, false
}

// Close lets go of the namespaces.
func (s Set) Close() error {
	var errs []error
	for _, h := range s {
		errs = append(errs, h.File.Close())
	}
	return errors.Join(errs...)
}

// onThread runs fn on a thread that ends with it: the runtime destroys a locked
// thread whose goroutine returns, so no later goroutine wakes up in a foreign
// namespace. The main thread is never used: it cannot be destroyed, and the
// process's /proc/self entries are its.
func onThread(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			defer runtime.UnlockOSThread()
			done <- onThread(fn)
			return
		}
		done <- fn()
	}()
	return <-done
}
