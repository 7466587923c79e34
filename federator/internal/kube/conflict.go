package kube

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ConflictError says that somebody else owns what the spec wants. The engine
// never forces its way: a person decides.
type ConflictError struct {
	// Object in dispute.
	Object Ref
	// Managers are the other field managers, when the API server named them.
	Managers []string
	// Fields in dispute, when the API server named them.
	Fields []string
	// Reason tells the story and the cure.
	Reason string
}

// Error is one line.
func (e *ConflictError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "conflict on %s", e.Object)
	if len(e.Managers) > 0 {
		fmt.Fprintf(&b, " with %s", strings.Join(e.Managers, ", "))
	}
	if len(e.Fields) > 0 {
		fmt.Fprintf(&b, " over %s", strings.Join(e.Fields, ", "))
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, ": %s", e.Reason)
	}
	return b.String()
}

// AsConflict turns the API server's 409 into a ConflictError, and leaves every
// other error alone.
func AsConflict(ref Ref, err error) error {
	var status apierrors.APIStatus
	if !apierrors.IsConflict(err) || !errors.As(err, &status) {
		return err
	}
	out := &ConflictError{Object: ref}
	if d := status.Status().Details; d != nil {
		for _, c := range d.Causes {
			if c.Type != metav1.CauseTypeFieldManagerConflict {
				continue
			}
			out.Fields = append(out.Fields, c.Field)
			if m := manager(c.Message); m != "" && !slices.Contains(out.Managers, m) {
				out.Managers = append(out.Managers, m)
			}
		}
	}
	if len(out.Fields) > 0 {
		out.Reason = "another field manager owns these fields; let it release them or take them out of the declarations"
	} else {
		out.Reason = "it changed while this ran; run again (" + err.Error() + ")"
	}
	return out
}

// AsRefusal says whether the API server will never take this object as it stands
// (a webhook or a schema says no, its namespace is gone, a right is missing), and
// tells it as a conflict with whoever says no.
func AsRefusal(ref Ref, err error, out **ConflictError) bool {
	if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) && !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
		return false
	}
	*out = &ConflictError{Object: ref, Reason: "the API server refuses it: " + strings.Join(strings.Fields(err.Error()), " ")}
	return true
}

// Answered says whether the API server itself said no: then another request may
// well succeed.
func Answered(err error) bool {
	var status apierrors.APIStatus
	var conflict *ConflictError
	return errors.As(err, &status) || errors.As(err, &conflict)
}

// tooLong is the cause that the API server gives for a ConfigMap beyond its size.
const tooLong = metav1.CauseType("FieldValueTooLong")

// IsTooLong says whether an object is refused for its size, by its kind's own
// bound or by that of a request or of the store, which has no reason of its own.
func IsTooLong(err error) bool {
	return apierrors.HasStatusCause(err, tooLong) || apierrors.IsRequestEntityTooLargeError(err) ||
		err != nil && strings.Contains(err.Error(), "request is too large")
}

// manager is the name in: conflict with "kubectl" using networking.istio.io/v1.
func manager(message string) string {
	_, rest, _ := strings.Cut(message, `"`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}
