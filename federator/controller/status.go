package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/crd"
)

// parallel bounds how many statuses are written at once: enough to hide a round
// trip, not enough to be noticed by the API server.
const parallel = 8

// report is what the controller says about one resource.
type report struct {
	object  client.Object
	before  client.Object
	finding finding
	// conditions of the object itself, to be changed in place.
	conditions *[]metav1.Condition
}

func reportOn(o client.Object, conditions *[]metav1.Condition, f finding) report {
	before, _ := o.DeepCopyObject().(client.Object) // every resource of ours is one
	return report{object: o, before: before, finding: f, conditions: conditions}
}

// stamp puts the states into the conditions, and returns the change of Ready, if
// there is one: it is what an event tells.
func (r report) stamp() (state, bool) {
	was := meta.FindStatusCondition(*r.conditions, string(crd.Ready))
	var before metav1.Condition
	if was != nil {
		before = *was
	}
	states := r.finding.states()
	if r.keeps(states) {
		states[1], states[2] = stateOf(*r.conditions, crd.Programmed), stateOf(*r.conditions, crd.Ready)
		if problem, found := r.finding.problem(); found {
			states[2] = no(reasonOf(problem.Cause), r.finding.message())
		}
	}
	for i, t := range crd.ConditionTypes() {
		meta.SetStatusCondition(r.conditions, metav1.Condition{
			Type: string(t), Status: states[i].status, Reason: string(states[i].reason), Message: states[i].message,
			ObservedGeneration: r.object.GetGeneration(),
		})
	}
	ready := states[len(states)-1]
	return ready, string(ready.reason) != before.Reason || ready.status != before.Status
}

// keeps says whether a failed write leaves what was programmed before as it was:
// that the API server is away takes nothing out of force. What was to be changed,
// or is to be in force in another form, is not as it was.
func (r report) keeps(states [3]state) bool {
	if r.finding.failed == nil || states[1].reason != crd.ReasonWriteFailed {
		return false
	}
	if r.finding.changing || r.finding.verdict.Form != federator.FormWhole {
		return false
	}
	was := meta.FindStatusCondition(*r.conditions, string(crd.Programmed))
	return was != nil && was.Status == metav1.ConditionTrue && was.ObservedGeneration == r.object.GetGeneration()
}

func stateOf(conditions []metav1.Condition, t crd.ConditionType) state {
	c := meta.FindStatusCondition(conditions, string(t))
	if c == nil {
		return state{metav1.ConditionUnknown, crd.ReasonWriteFailed, "not known"}
	}
	return state{c.Status, crd.Reason(c.Reason), c.Message}
}

// tell writes the reports that say something new, and an event for each state
// that changed. It goes on past an error: one resource must not silence another.
func (r *reconciler) tell(ctx context.Context, reports []report) error {
	errs := make([]error, len(reports))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, rep := range reports {
		g.Go(func() error {
			errs[i] = r.tellOne(ctx, rep)
			return nil
		})
	}
	_ = g.Wait() // errs has them all
	return errors.Join(errs...)
}

func (r *reconciler) tellOne(ctx context.Context, rep report) error {
	ready, changed := rep.stamp()
	if equality.Semantic.DeepEqual(rep.before, rep.object) {
		return nil
	}
	patch, err := statusPatch(rep.object)
	if err != nil {
		return err
	}
	err = r.client.Status().Patch(ctx, rep.object, patch)
	if apierrors.IsNotFound(err) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return fmt.Errorf("status of %T %s: %w", rep.object, client.ObjectKeyFromObject(rep.object), err)
	}
	if changed {
		kind := corev1.EventTypeNormal
		if ready.status != metav1.ConditionTrue {
			kind = corev1.EventTypeWarning
		}
		r.events.Eventf(rep.object, nil, kind, string(ready.reason), "Reconcile", "%s", clip(ready.message, maxNote))
	}
	return nil
}

// statusPatch replaces the status of this very object, and fails where another one has
// its name by now. A UID in a merge patch would not do: the API server takes nothing of
// a custom resource's metadata from a patch of its status, and so compares none. A
// resourceVersion would fail wherever the cache is behind our own last patch.
func statusPatch(o client.Object) (client.Patch, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, fmt.Errorf("status of %T %s: %w", o, client.ObjectKeyFromObject(o), err)
	}
	data, err := json.Marshal([]map[string]any{
		{"op": "test", "path": "/metadata/uid", "value": o.GetUID()},
		{"op": "add", "path": "/status", "value": fields["status"]},
	})
	if err != nil {
		return nil, fmt.Errorf("status of %T %s: %w", o, client.ObjectKeyFromObject(o), err)
	}
	return client.RawPatch(types.JSONPatchType, data), nil
}
