package preflight

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/internal/kube"
)

// unlisted looks for what carries this mesh's labels and is not in its inventory:
// an inventory that was deleted, or taken from a backup, has forgotten it, a leader
// that was frozen has written it late, or somebody hides behind the labels. No check
// for foreign objects sees it, and no plan deletes it. Where a boundary is Elsewhere,
// another inventory lists it.
func (k *checker) unlisted() {
	if len(k.report.Elsewhere) > 0 {
		return
	}
	listed := k.options.Inventory.UIDs()
	for _, all := range [][]unstructured.Unstructured{k.snap.gateways, k.snap.virtualServices, k.snap.policies} {
		for i := range all {
			if k.foreign(&all[i]) {
				continue
			}
			ref := kube.RefOf(&all[i])
			if _, is := listed[ref]; !is {
				k.report.Unlisted = append(k.report.Unlisted, ref)
			}
		}
	}
	slices.SortFunc(k.report.Unlisted, func(a, b kube.Ref) int { return cmp.Compare(a.String(), b.String()) })
}
