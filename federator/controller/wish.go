package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
)

// declared is everything that stands in the cluster, each kind in the order of
// precedence: who was there first has its path.
type declared struct {
	meshes       []crd.Mesh
	peers        []crd.Peer
	exposures    []crd.Exposure
	consumptions []crd.Consumption
}

func look(ctx context.Context, c client.Reader) (declared, error) {
	var meshes crd.MeshList
	var peers crd.PeerList
	var exposures crd.ExposureList
	var consumptions crd.ConsumptionList
	for _, list := range []client.ObjectList{&meshes, &peers, &exposures, &consumptions} {
		if err := c.List(ctx, list); err != nil {
			return declared{}, fmt.Errorf("list %T: %w", list, err)
		}
	}
	return declared{
		meshes: standing(meshes.Items), peers: standing(peers.Items),
		exposures: standing(exposures.Items), consumptions: standing(consumptions.Items),
	}, nil
}

// standing leaves out what is being deleted, and sorts by age, then by name.
func standing[T any, P interface {
	*T
	metav1.Object
}](list []T) []T {
	out := slices.DeleteFunc(slices.Clone(list), func(v T) bool { return P(&v).GetDeletionTimestamp() != nil })
	slices.SortStableFunc(out, func(a, b T) int {
		x, y := P(&a), P(&b)
		ta, tb := x.GetCreationTimestamp(), y.GetCreationTimestamp()
		return cmp.Or(ta.Compare(tb.Time), cmp.Compare(x.GetNamespace(), y.GetNamespace()), cmp.Compare(x.GetName(), y.GetName()))
	})
	return out
}

// mesh is the one that counts: the first one made.
func (d declared) mesh() *crd.Mesh {
	if len(d.meshes) == 0 {
		return nil
	}
	return &d.meshes[0]
}

// wish turns the resources into declarations, with nothing of their metadata but
// the name: an annotation somebody adds must not look like another wish.
func (d declared) wish(o Options) federator.Spec {
	var out federator.Spec
	if m := d.mesh(); m != nil {
		out.Mesh = api.Mesh{TypeMeta: typeOf(api.KindMesh), ObjectMeta: named(m), Spec: *m.Spec.DeepCopy()}
	}
	for i := range d.peers {
		p := api.Peer{TypeMeta: typeOf(api.KindPeer), ObjectMeta: named(&d.peers[i]), Spec: *d.peers[i].Spec.DeepCopy()}
		if confirmed, ok := d.peers[i].Annotations[api.AnnotationConfirmIdentity]; ok {
			p.Annotations = map[string]string{api.AnnotationConfirmIdentity: confirmed}
		}
		out.Peers = append(out.Peers, p)
	}
	for i := range d.exposures {
		if e := &d.exposures[i]; o.manages(e.Namespace) {
			out.Exposures = append(out.Exposures, api.Exposure{TypeMeta: typeOf(api.KindExposure), ObjectMeta: named(e), Spec: *e.Spec.DeepCopy()})
		}
	}
	for i := range d.consumptions {
		if c := &d.consumptions[i]; o.manages(c.Namespace) {
			out.Consumptions = append(out.Consumptions, api.Consumption{TypeMeta: typeOf(api.KindConsumption), ObjectMeta: named(c), Spec: *c.Spec.DeepCopy()})
		}
	}
	return out
}

func typeOf(k api.Kind) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: api.APIVersion, Kind: string(k)}
}

func named(o metav1.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: o.GetName(), Namespace: o.GetNamespace()}
}
