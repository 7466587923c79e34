package bench

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/builtin"
	"github.com/meshfed/meshfed/fixtures"
)

// live is what a cluster holds, by kind, namespace and name.
type live map[[3]string]any

func key(o *unstructured.Unstructured) [3]string {
	return [3]string{o.GetKind(), o.GetNamespace(), o.GetName()}
}

func (l live) Get(_ context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	switch there := l[key(o)].(type) {
	case error:
		return nil, there
	case *unstructured.Unstructured:
		return there, nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: o.GetKind()}, o.GetName())
}

// by is an object as that field manager has made it.
func by(o *unstructured.Unstructured, manager string) *unstructured.Unstructured {
	made := o.DeepCopy()
	made.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager}})
	return made
}

func namesOf(objects []*unstructured.Unstructured) [][3]string {
	var all [][3]string
	for _, o := range objects {
		all = append(all, key(o))
	}
	return all
}

func fixturesOf(t *testing.T, name string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := fixtures.Manifests(name, fixtures.Options{})
	require.NoError(t, err)
	return objects
}

func TestWhatIsLentIsMarkedAndJoinsTheMeshByItself(t *testing.T) {
	objects := fixturesOf(t, "c2")
	there := live{}
	namespace := objectOf("Namespace", "", metav1.NamespaceDefault)
	there[key(namespace)] = namespace
	wanted, err := lend(t.Context(), there, objects)
	require.NoError(t, err)
	assert.Len(t, wanted, len(objects)-1)
	for _, o := range wanted {
		assert.NotEqual(t, key(namespace), key(o), "a namespace that was there is not changed")
		assert.Equal(t, "true", o.GetLabels()[loanLabel], key(o))
		if o.GetKind() == "Deployment" {
			label, _, err := unstructured.NestedString(o.Object, "spec", "template", "metadata", "labels", injectLabel)
			require.NoError(t, err)
			assert.Equal(t, "true", label, key(o))
		}
	}
	for _, o := range objects {
		assert.Empty(t, o.GetLabels()[loanLabel], "the caller's own is not changed: %v", key(o))
	}
}

func TestWhatAnOwnerHasDeployedIsUsedAndWhatIsInTheWayIsNot(t *testing.T) {
	deployment := &unstructured.Unstructured{}
	deployment.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("Deployment"))
	deployment.SetNamespace("default")
	deployment.SetName("sleep")
	secret := objectOf("Secret", "istio-private-gateways", "c1-example-com-egress-certs")
	left := by(deployment, fieldManager)
	left.SetLabels(map[string]string{loanLabel: "true"})

	for name, c := range map[string]struct {
		object *unstructured.Unstructured
		there  any
		lent   int
		says   string
	}{
		"the fixtures of a lab":         {deployment, by(deployment, fieldManager), 0, ""},
		"left by a run that was killed": {deployment, left, 1, ""},
		"somebody's deployment":         {deployment, by(deployment, "kubectl"), 0, "Deployment default/sleep is somebody's"},
		"another authority's secret":    {secret, by(secret, fieldManager), 0, "is somebody's"},
		"no right to look":              {deployment, apierrors.NewForbidden(schema.GroupResource{}, "sleep", nil), 0, "forbidden"},
		"a cluster without a mesh":      {deployment, &meta.NoKindMatchError{}, 0, "install Istio first"},
	} {
		t.Run(name, func(t *testing.T) {
			lent, err := lend(t.Context(), live{key(c.object): c.there}, []*unstructured.Unstructured{c.object})
			assert.Len(t, lent, c.lent)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestOnlyLoansAreRemoved(t *testing.T) {
	objects, err := lendable("c1")
	require.NoError(t, err)
	there, loan := live{}, objectOf("Namespace", "", ownNamespace)
	loan.SetLabels(map[string]string{loanLabel: "true"})
	for _, o := range objects {
		there[key(o)] = by(o, fieldManager)
	}
	there[key(loan)] = loan
	unreadable := objectOf("Secret", ownNamespace, authoritySecret)
	there[key(unreadable)] = apierrors.NewForbidden(schema.GroupResource{}, authoritySecret, nil)
	found, err := loans(t.Context(), there, objects)
	require.ErrorContains(t, err, "forbidden")
	assert.Equal(t, [][3]string{key(loan)}, namesOf(found))
}

// empty is a lab of no clusters.
type empty struct{ cluster.Lab }

func (empty) Clusters() []cluster.Cluster { return nil }

type lent struct{ cluster.Lab }

func (lent) Owner() string    { return "somebody" }
func (lent) Places() []string { return nil }

// resident is an engine that lives in the clusters.
type resident struct {
	engine.Engine
	engine.Installer
}

func (resident) Namespaces() []string { return []string{"resident"} }

// A bundle is taken when the run is over, and no engine says what it has installed.
func TestABundleTakesTheNamespaceOfAnEngineOnlyIfTheHarnessMadeIt(t *testing.T) {
	space := objectOf("Namespace", "", "resident")
	shared := by(space, cluster.FieldManager)
	shared.SetManagedFields(append(shared.GetManagedFields(), by(space, "helm").GetManagedFields()...))
	ended := by(space, cluster.FieldManager)
	ended.SetManagedFields(append(ended.GetManagedFields(), metav1.ManagedFieldsEntry{Manager: "kube-controller-manager", Subresource: "status"}))
	absent := apierrors.NewNotFound(schema.GroupResource{}, "resident")
	for name, c := range map[string]struct {
		there []any
		taken bool
		says  string
	}{
		"the harness made it":               {[]any{by(space, cluster.FieldManager)}, true, ""},
		"it is going":                       {[]any{ended}, true, ""},
		"it is in one cluster":              {[]any{absent, by(space, cluster.FieldManager)}, true, ""},
		"it is nowhere":                     {[]any{absent, absent}, false, ""},
		"somebody made it":                  {[]any{by(space, "helm")}, false, ""},
		"somebody has a part in it":         {[]any{shared}, false, ""},
		"somebody's is in another cluster":  {[]any{by(space, cluster.FieldManager), by(space, "helm")}, false, ""},
		"nobody knows":                      {[]any{space}, false, ""},
		"no right to look, in another, too": {[]any{by(space, cluster.FieldManager), apierrors.NewForbidden(schema.GroupResource{}, "resident", nil)}, false, "forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			var clusters []reader
			for _, there := range c.there {
				clusters = append(clusters, live{key(space): there})
			}
			taken, err := made(t.Context(), clusters, "resident")
			assert.Equal(t, c.taken, taken)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestSecretsOfOthersAreNotLookedAtOnBorrowedClusters(t *testing.T) {
	assert.Nil(t, confidential(nil))
	assert.Equal(t, []string{"default", "bookinfo", "istio-private-gateways", ownNamespace}, confidential(lent{}))
	features := []string{"default", "bookinfo", "istio-private-gateways", ownNamespace, "consumer", "istio-system"}
	inside := installed(resident{})
	assert.Nil(t, collector(empty{}, time.Now(), inside).Namespaces)
	assert.Equal(t, features, collector(lent{empty{}}, time.Now(), installed(builtin.New(""))).Namespaces, "evidence is published")
	assert.Equal(t, append(features, "resident"), collector(lent{empty{}}, time.Now(), inside).Namespaces, "nobody could say what the engine under test has logged")
	assert.NotContains(t, concerned(lent{}), "resident", "it is no part of what scenarios are compared with")
	for _, r := range Rights() {
		assert.False(t, r.Resource == "secrets" && r.Namespace == "", "Secrets of the whole cluster: %s", r)
		assert.NotContains(t, r.Verbs, "*")
		assert.NotEmpty(t, r.Why, r)
	}
}
