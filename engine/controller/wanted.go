package controller

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/cluster/manifest"
	"github.com/meshfed/meshfed/federator/api"
)

// marker tells the resources that the harness wrote from those of others.
const (
	marker      = "app.kubernetes.io/managed-by"
	markerValue = "meshfed-conformance"
)

// wanted are declarations as custom resources.
type wanted struct{ objects []*unstructured.Unstructured }

// read turns declarations into resources. It judges nothing but their kind: the
// rest is for the API server and the controller to refuse.
func read(declarations string) (wanted, error) {
	objects, err := manifest.Decode("declarations", []byte(declarations))
	if err != nil {
		return wanted{}, err
	}
	for _, o := range objects {
		if o.GetAPIVersion() != api.APIVersion {
			return wanted{}, fmt.Errorf("declarations: %s %s is of %s; write %s", o.GetKind(), o.GetName(), o.GetAPIVersion(), api.APIVersion)
		}
		o.SetLabels(map[string]string{marker: markerValue})
		if o.GetKind() == string(api.KindPeer) {
			confirm(o)
		}
	}
	return wanted{objects}, nil
}

// confirm says that the identities are meant: the declarations are an owner's own
// words, also where they differ from those before.
func confirm(peer *unstructured.Unstructured) {
	var identities []string
	for _, field := range []string{"clientIdentity", "serverIdentity"} {
		if id, _, _ := unstructured.NestedString(peer.Object, "spec", field); id != "" {
			identities = append(identities, id)
		}
	}
	peer.SetAnnotations(map[string]string{api.AnnotationConfirmIdentity: strings.Join(identities, ",")})
}

// has says whether a resource is among those wanted.
func (w wanted) has(o *unstructured.Unstructured) bool {
	for _, want := range w.objects {
		if want.GetKind() == o.GetKind() && want.GetNamespace() == o.GetNamespace() && want.GetName() == o.GetName() {
			return true
		}
	}
	return false
}

// count is how many are of a kind.
func (w wanted) count(kind api.Kind) int {
	n := 0
	for _, o := range w.objects {
		if o.GetKind() == string(kind) {
			n++
		}
	}
	return n
}

// name is how an error calls a resource.
func name(o *unstructured.Unstructured) string {
	return api.Key{Kind: api.Kind(o.GetKind()), Namespace: o.GetNamespace(), Name: o.GetName()}.String()
}
