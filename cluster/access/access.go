// Package access says which rights somebody needs in a cluster, as data: to be
// printed as the RBAC objects that grant them, and to be held against what the
// API server says that this user may do. It knows not what they are used for.
package access

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Right is what may be done with the resources of one kind.
type Right struct {
	// Namespace in which; empty is the whole cluster.
	Namespace string
	Group     string
	// Resource may have a subresource ("pods/exec").
	Resource string
	// Names of the objects; empty is all. The verb create knows no names.
	Names []string
	Verbs []string
	// Optional rights make an errand better, not possible.
	Optional bool
	// Why says what for.
	Why string
}

func (r Right) String() string {
	what := r.Resource
	if r.Group != "" {
		name, sub, _ := strings.Cut(r.Resource, "/")
		what = name + "." + r.Group
		if sub != "" {
			what += "/" + sub
		}
	}
	if len(r.Names) > 0 {
		what += " " + strings.Join(r.Names, ",")
	}
	where := "in the whole cluster"
	if r.Namespace != "" {
		where = "in " + r.Namespace
	}
	return fmt.Sprintf("%s %s %s", strings.Join(r.Verbs, ","), what, where)
}

// inFlight is how many questions are asked at once.
const inFlight = 8

// Missing are the rights, each with only its verbs that are refused, in their
// order. The API server is asked (SelfSubjectAccessReview), nothing is tried.
func Missing(ctx context.Context, client kubernetes.Interface, rights []Right) ([]Right, error) {
	refused := make([][]string, len(rights))
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(inFlight)
	for i, r := range rights {
		all.Go(func() (err error) {
			refused[i], err = refusedVerbs(ctx, client, r)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, fmt.Errorf("access: %w", err)
	}
	var missing []Right
	for i, r := range rights {
		if len(refused[i]) > 0 {
			r.Verbs = refused[i]
			missing = append(missing, r)
		}
	}
	return missing, nil
}

func refusedVerbs(ctx context.Context, client kubernetes.Interface, r Right) ([]string, error) {
	var refused []string
	for _, verb := range r.Verbs {
		for _, name := range namesFor(r, verb) {
			allowed, err := may(ctx, client, r, verb, name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r, err)
			}
			if !allowed && !slices.Contains(refused, verb) {
				refused = append(refused, verb)
			}
		}
	}
	return refused, nil
}

// namesFor are those to ask for; the empty one is all.
func namesFor(r Right, verb string) []string {
	if len(r.Names) == 0 || verb == "create" {
		return []string{""}
	}
	return r.Names
}

func may(ctx context.Context, client kubernetes.Interface, r Right, verb, name string) (bool, error) {
	resource, sub, _ := strings.Cut(r.Resource, "/")
	review := &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorization.ResourceAttributes{
			Namespace: r.Namespace, Group: r.Group, Resource: resource, Subresource: sub, Verb: verb, Name: name,
		},
	}}
	answer, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return answer.Status.Allowed, nil
}

// namespaces of the rights, sorted; the whole cluster is the empty one.
func namespaces(rights []Right) []string {
	var all []string
	for _, r := range rights {
		if !slices.Contains(all, r.Namespace) {
			all = append(all, r.Namespace)
		}
	}
	slices.SortFunc(all, cmp.Compare[string])
	return all
}
