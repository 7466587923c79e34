package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/suite/bench/internal/evidence"
)

// Evidence writes below dir what explains the present state of a lab: objects,
// what the gateways were told and have logged since, istiod's view, the pods'
// logs; and returns the names of the files. No Secret is read. What cannot be
// had is in the error, and does not stop the rest. Which of the engines a run has
// installed, if any, is seen from what is there.
func Evidence(ctx context.Context, lab cluster.Lab, engines []engine.Engine, since time.Time, dir string) ([]string, error) {
	own, unknown := present(ctx, lab, engines)
	files, err := collector(lab, since, own).Collect(ctx, dir)
	return files, errors.Join(unknown, err)
}

// collector takes evidence from where the features are, and from the engine's own
// namespaces: what a controller under test has logged is in no other place.
func collector(lab cluster.Lab, since time.Time, own []string) evidence.Collector {
	c := evidence.Collector{Clusters: lab.Clusters(), Since: since, Namespaces: concerned(lab)}
	if len(c.Namespaces) > 0 {
		c.Namespaces = append(c.Namespaces, own...)
	}
	return c
}

// installed are the namespaces that an engine lives in.
func installed(e engine.Engine) []string {
	if installer, is := e.(engine.Installer); is {
		return installer.Namespaces()
	}
	return nil
}

// present are those namespaces of the engines that the harness has made in a
// borrowed lab. Elsewhere evidence is of all namespaces anyway.
func present(ctx context.Context, lab cluster.Lab, engines []engine.Engine) (own []string, err error) {
	if !cluster.Borrowed(lab) {
		return nil, nil
	}
	var clusters []reader
	for _, c := range lab.Clusters() {
		config, err := cluster.RESTConfig(c)
		if err != nil {
			return nil, err
		}
		objects, err := manifest.New(config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name(), err)
		}
		clusters = append(clusters, objects)
	}
	var errs []error
	for _, e := range engines {
		for _, name := range installed(e) {
			ours, err := made(ctx, clusters, name)
			if err != nil {
				errs = append(errs, fmt.Errorf("namespace %s of engine %s is left out: who made it is not known: %w", name, e.Name(), err))
			}
			if ours {
				own = append(own, name)
			}
		}
	}
	return own, errors.Join(errs...)
}

// made says whether the harness, and nobody else, has made that namespace: it is
// in one of the clusters at least, and nobody else's in any. Of somebody's own
// controller there nothing may be published.
func made(ctx context.Context, clusters []reader, name string) (bool, error) {
	want := &unstructured.Unstructured{}
	want.SetAPIVersion("v1")
	want.SetKind("Namespace")
	want.SetName(name)
	found := false
	for _, objects := range clusters {
		there, err := objects.Get(ctx, want)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return false, err
		}
		if !ours(there.GetManagedFields()) {
			return false, nil
		}
		found = true
	}
	return found, nil
}

// ours says whether only the harness has written an object. Its status is
// Kubernetes' business.
func ours(managers []metav1.ManagedFieldsEntry) bool {
	managers = slices.DeleteFunc(slices.Clone(managers), func(f metav1.ManagedFieldsEntry) bool { return f.Subresource == "status" })
	other := func(f metav1.ManagedFieldsEntry) bool { return f.Manager != cluster.FieldManager }
	return len(managers) > 0 && !slices.ContainsFunc(managers, other)
}

// WriteEvidence writes one file of evidence, tokens blotted out; it refuses
// what holds a private key.
func WriteEvidence(path string, content []byte) error { return evidence.Write(path, content) }
