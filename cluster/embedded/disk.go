package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster"
	nodeproc "github.com/meshfed/meshfed/cluster/embedded/internal/node"
)

// filler is the file that takes what is left of etcd's disk.
const filler = "filler"

// fillPause gives etcd time to release a block that nobody may have.
const fillPause = 10 * time.Millisecond

// FillDisk implements cluster.Faulter, by a file beside etcd's own.
func (n *member) FillDisk(ctx context.Context) (func() error, error) {
	fail := func(err error) (func() error, error) {
		return nil, fmt.Errorf("cluster %s: fill the disk of etcd: %w", n.name, err)
	}
	pid, err := n.process(cluster.Etcd)
	if err != nil {
		return fail(err)
	}
	// The folder is kept open: it outlives the etcd by which it is found.
	disk, err := os.OpenRoot(fmt.Sprintf("/proc/%d/root%s", pid, nodeproc.EtcdDisk))
	if err != nil {
		return fail(err)
	}
	empty := func() error {
		err := errors.Join(disk.Remove(filler), disk.Close())
		if err != nil {
			return fmt.Errorf("cluster %s: empty the disk of etcd: %w", n.name, err)
		}
		return nil
	}
	f, err := disk.Create(filler)
	if err != nil {
		return fail(errors.Join(err, disk.Close()))
	}
	defer f.Close()
	if err := fill(ctx, f); err != nil {
		return fail(errors.Join(err, empty()))
	}
	return empty, nil
}

// fill lets a file grow until nothing is free where it lies.
func fill(ctx context.Context, f *os.File) error {
	for size := int64(0); ; {
		var fs unix.Statfs_t
		if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil {
			return fmt.Errorf("what is free: %w", err)
		}
		free := int64(fs.Bavail) * fs.Bsize
		if free == 0 {
			return nil
		}
		switch err := unix.Fallocate(int(f.Fd()), 0, size, free); {
		case err == nil:
			size += free
		case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EINTR):
			// etcd was quicker.
		default:
			return fmt.Errorf("take %d bytes: %w", free, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(fillPause):
		}
	}
}
