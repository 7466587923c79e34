package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/steps"
)

const (
	// written is the label of what is only there to be written.
	written = "conformance.meshfed.io/written"
	// bulk is as much as one object may well hold.
	bulk = 900 << 10
	// fillers is more than etcd's database and its log can hold beside what is on
	// a disk that is full.
	fillers = 400
	// writeLimit bounds one write: who cannot answer for so long does not serve.
	writeLimit = 5 * time.Second
	// storeLimit bounds how long writes may be refused once the fault is over.
	storeLimit = 40 * time.Second
	storePause = 100 * time.Millisecond
)

// errStoreWrites is what is wrong with a full disk on which writes succeed.
var errStoreWrites = errors.New("etcd still writes to a disk that is full")

// killPart kills a process of the control plane. Its mending is that writes are
// served again: whoever runs the cluster starts it again.
func killPart(ctx context.Context, m *mesh, part cluster.Part) (func(context.Context) error, error) {
	c, err := faulter(m, "kill "+string(part))
	if err != nil {
		return nil, err
	}
	if err := c.Kill(ctx, part); err != nil {
		return nil, err
	}
	return m.awaitWrites, nil
}

// fillDisk leaves etcd no room, and returns when a write was refused for that:
// until then nothing is broken. What was written before has to go afterwards.
func fillDisk(ctx context.Context, m *mesh) (func(context.Context) error, error) {
	c, err := faulter(m, "fill the disk of etcd")
	if err != nil {
		return nil, err
	}
	if err := m.write(ctx, 1); err != nil {
		return nil, fmt.Errorf("before the disk of etcd is full: %w", err)
	}
	empty, err := c.FillDisk(ctx)
	if err != nil {
		return nil, errors.Join(err, m.unwrite(ctx))
	}
	emptied := false
	mend := func(ctx context.Context) error {
		if !emptied {
			if err := empty(); err != nil {
				return err
			}
			emptied = true
		}
		return m.awaitWrites(ctx)
	}
	for range fillers {
		if err := m.write(ctx, bulk); err != nil {
			return mend, ctx.Err()
		}
	}
	return nil, errors.Join(errStoreWrites, mend(ctx))
}

func faulter(m *mesh, what string) (cluster.Faulter, error) {
	c, can := m.cluster.(cluster.Faulter)
	if !can {
		return nil, fmt.Errorf("%w: the provider of cluster %s cannot %s", steps.ErrCannotBreak, m.cluster.Name(), what)
	}
	return c, nil
}

// awaitWrites returns when the cluster takes writes, and has none of those left
// that were tried.
func (m *mesh) awaitWrites(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, storeLimit, fmt.Errorf("not within %s", storeLimit))
	defer cancel()
	for {
		err := m.write(ctx, 1)
		if err == nil {
			return m.unwrite(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cluster %s takes no writes: %w; seen last: %w", m.cluster.Name(), context.Cause(ctx), err)
		case <-time.After(storePause):
		}
	}
}

// write is a write that etcd must have carried out when it returns.
func (m *mesh) write(ctx context.Context, size int) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	_, err := m.pods.Kube().CoreV1().ConfigMaps(metav1.NamespaceDefault).Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "written-", Labels: map[string]string{written: "true"}},
		Data:       map[string]string{"bulk": strings.Repeat("x", size)},
	}, metav1.CreateOptions{})
	return err
}

// unwrite takes away what was written, also by an earlier run.
func (m *mesh) unwrite(ctx context.Context) error {
	err := m.pods.Kube().CoreV1().ConfigMaps(metav1.NamespaceDefault).DeleteCollection(ctx, metav1.DeleteOptions{},
		metav1.ListOptions{LabelSelector: written})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("cluster %s: take away what was written: %w", m.cluster.Name(), err)
	}
	return nil
}
