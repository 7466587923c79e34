// Package kubefake is a cluster in memory for tests. Server-side apply is the
// API server's own field manager, so that ownership and conflicts are real;
// schemas, defaults and admission are not there.
package kubefake

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshfed/meshfed/federator/internal/kube"
)

// ErrCrash is what a write returns once the cluster has been told to fail.
var ErrCrash = errors.New("the connection broke")

// Write is one request that changed the cluster.
type Write struct {
	Verb string
	Ref  kube.Ref
}

// Cluster is a kube.Client. Its zero value is not usable; call New.
type Cluster struct {
	mu      sync.Mutex
	objects map[kube.Ref]*unstructured.Unstructured
	writes  []Write
	left    int // writes until failure; negative: never
	serial  int
}

var _ kube.Client = (*Cluster)(nil)

// New makes a cluster that holds the given objects.
func New(objects ...*unstructured.Unstructured) *Cluster {
	c := &Cluster{objects: map[kube.Ref]*unstructured.Unstructured{}, left: -1}
	for _, o := range objects {
		c.store(o.DeepCopy())
	}
	return c
}

// FailAfter lets n more writes through and breaks every later one; a negative n
// heals.
func (c *Cluster) FailAfter(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = n
}

// Writes are the requests that changed the cluster since the last call.
func (c *Cluster) Writes() []Write {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.writes
	c.writes = nil
	return out
}

// Refs are the names of all objects.
func (c *Cluster) Refs() map[kube.Ref]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[kube.Ref]bool{}
	for r := range c.objects {
		out[r] = true
	}
	return out
}

// Get implements kube.Client.
func (c *Cluster) Get(_ context.Context, ref kube.Ref) (*unstructured.Unstructured, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.objects[ref]; o != nil {
		return o.DeepCopy(), nil
	}
	return nil, nil
}

// List implements kube.Client.
func (c *Cluster) List(_ context.Context, apiVersion, kind, namespace string) ([]unstructured.Unstructured, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []unstructured.Unstructured
	for r, o := range c.objects {
		if r.APIVersion == apiVersion && r.Kind == kind && (namespace == "" || r.Namespace == namespace) {
			out = append(out, *o.DeepCopy())
		}
	}
	return out, nil
}

// Apply implements kube.Client.
func (c *Cluster) Apply(_ context.Context, o *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	return c.ApplyAs(kube.FieldManager, o, dryRun)
}

// ApplyAs is a server-side apply by any field manager.
func (c *Cluster) ApplyAs(manager string, o *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ref := kube.RefOf(o)
	out, err := merge(c.objects[ref], o, manager, false)
	if err != nil {
		return nil, fmt.Errorf("apply %s: %w", ref, kube.AsConflict(ref, err))
	}
	if dryRun {
		return out, nil
	}
	if err := c.spend("apply", ref); err != nil {
		return nil, err
	}
	return c.store(out).DeepCopy(), nil
}

// Seize is what a person does with --force: another manager takes the fields of o.
func (c *Cluster) Seize(manager string, o *unstructured.Unstructured) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, err := merge(c.objects[kube.RefOf(o)], o, manager, true)
	if err != nil {
		panic(err) // a forced apply of a valid object has no conflict to report
	}
	c.store(out)
}

// Delete implements kube.Client.
func (c *Cluster) Delete(_ context.Context, ref kube.Ref, uid types.UID) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.objects[ref]
	if o == nil {
		return false, nil
	}
	if o.GetUID() != uid {
		return false, fmt.Errorf("delete %s: %w", ref, &kube.ConflictError{Object: ref, Reason: "it was replaced while this ran; run again"})
	}
	if err := c.spend("delete", ref); err != nil {
		return false, err
	}
	if len(o.GetFinalizers()) > 0 {
		o.SetDeletionTimestamp(&metav1.Time{Time: time.Unix(0, 0)})
		return true, nil
	}
	delete(c.objects, ref)
	return true, nil
}

// Put implements kube.Client.
func (c *Cluster) Put(_ context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ref := kube.RefOf(o)
	version := ""
	if old := c.objects[ref]; old != nil {
		version = old.GetResourceVersion()
	}
	if o.GetResourceVersion() != version {
		return nil, &kube.ConflictError{Object: ref, Reason: "it changed while this ran; run again"}
	}
	if err := c.spend("put", ref); err != nil {
		return nil, err
	}
	return c.store(o.DeepCopy()).DeepCopy(), nil
}

// spend counts a write, or breaks it.
func (c *Cluster) spend(verb string, ref kube.Ref) error {
	if c.left == 0 {
		return fmt.Errorf("%s %s: %w", verb, ref, ErrCrash)
	}
	c.left--
	c.writes = append(c.writes, Write{verb, ref})
	return nil
}

// store keeps an object with a UID of its own and a new version.
func (c *Cluster) store(o *unstructured.Unstructured) *unstructured.Unstructured {
	ref := kube.RefOf(o)
	c.serial++
	o.SetResourceVersion(strconv.Itoa(c.serial))
	if old := c.objects[ref]; old != nil {
		o.SetUID(old.GetUID())
	} else {
		o.SetUID(types.UID("uid-" + strconv.Itoa(c.serial)))
	}
	c.objects[ref] = o
	return o
}
