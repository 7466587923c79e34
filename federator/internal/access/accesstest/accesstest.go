// Package accesstest holds rights against their use: a client under exactly those
// rights, at a real API server, and a record of what it has asked. It is for tests.
package accesstest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	authorization "k8s.io/api/authorization/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Use is one right: what was asked, or what may be.
type Use struct {
	// Namespace is empty for the whole cluster.
	Namespace, Verb, Group, Resource string
	// Name is that of the only object which may be meant; empty is any.
	Name string
}

func (u Use) String() string {
	resource := u.Resource
	if u.Group != "" {
		resource += "." + u.Group
	}
	if u.Name != "" {
		resource += " " + u.Name
	}
	if u.Namespace == "" {
		return u.Verb + " " + resource + " everywhere"
	}
	return u.Verb + " " + resource + " in " + u.Namespace
}

// Recorder notes what a client asks. It is safe for concurrent use.
type Recorder struct {
	mu      sync.Mutex
	used    map[Use]bool
	refused []string
}

// As is the configuration of a service account, by an administrator's, with every
// request noted: the API server asks for no other rights than the account's.
func (r *Recorder) As(admin *rest.Config, namespace, account string) *rest.Config {
	out := rest.CopyConfig(admin)
	out.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + namespace + ":" + account,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
	}
	out.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return tripper(func(q *http.Request) (*http.Response, error) {
			answer, err := next.RoundTrip(q)
			if err == nil {
				err = r.note(q, answer)
			}
			return answer, err
		})
	})
	return out
}

type tripper func(*http.Request) (*http.Response, error)

func (t tripper) RoundTrip(q *http.Request) (*http.Response, error) { return t(q) }

func (r *Recorder) note(q *http.Request, answer *http.Response) error {
	use, is := read(q)
	if !is {
		return nil
	}
	refused, err := denied(answer)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used == nil {
		r.used = map[Use]bool{}
	}
	r.used[use] = true
	if use.Verb == "patch" && answer.StatusCode == http.StatusCreated {
		// An apply of what is not there asks for this right, too.
		use.Verb = "create"
		r.used[use] = true
	}
	if refused {
		r.refused = append(r.refused, use.String())
	}
	return err
}

// denied says whether a right is missing. In a namespace that is going nobody may
// make anything, and the answer has the same code.
func denied(answer *http.Response) (bool, error) {
	if answer.StatusCode != http.StatusForbidden {
		return false, nil
	}
	text, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(text))
	return !bytes.Contains(text, []byte("being terminated")), err
}

// read tells the right from a request, as the API server does.
func read(q *http.Request) (Use, bool) {
	parts := strings.Split(strings.Trim(q.URL.Path, "/"), "/")
	var u Use
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		u.Group, parts = parts[1], parts[3:]
	default:
		return u, false // discovery, which everybody may ask for
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		u.Namespace, parts = parts[1], parts[2:]
	}
	u.Resource = parts[0]
	if len(parts) > 1 {
		u.Name = parts[1]
	}
	if len(parts) > 2 {
		u.Resource += "/" + parts[2]
	}
	query := q.URL.Query()
	if only, is := strings.CutPrefix(query.Get("fieldSelector"), "metadata.name="); is {
		u.Name = only
	}
	switch q.Method {
	case http.MethodGet:
		switch watch := query.Get("watch"); {
		case watch == "true" || watch == "1":
			u.Verb = "watch"
		case len(parts) == 1:
			u.Verb = "list"
		default:
			u.Verb = "get"
		}
	default:
		u.Verb = map[string]string{http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete"}[q.Method]
	}
	return u, true
}

// Compare finds the rights that were granted and not used, and the requests that
// were refused. A request counts for the narrowest right that allows it. Granted
// is by namespace; the empty one is the whole cluster.
func (r *Recorder) Compare(granted map[string][]rbac.PolicyRule) (unused, refused []string) {
	rights := map[Use]bool{}
	for namespace, rules := range granted {
		for _, rule := range rules {
			for _, u := range spread(namespace, rule) {
				rights[u] = true
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	counted := map[Use]bool{}
	for u := range r.used {
		for _, by := range []Use{u, unnamed(u), anywhere(u), anywhere(unnamed(u))} {
			if rights[by] {
				counted[by] = true
				break
			}
		}
	}
	for u := range rights {
		if !counted[u] {
			unused = append(unused, u.String())
		}
	}
	slices.Sort(unused)
	refused = slices.Clone(r.refused)
	slices.Sort(refused)
	return unused, slices.Compact(refused)
}

func unnamed(u Use) Use { u.Name = ""; return u }

func anywhere(u Use) Use { u.Namespace = ""; return u }

// spread are the single rights of a rule.
func spread(namespace string, rule rbac.PolicyRule) []Use {
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	var out []Use
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				for _, name := range names {
					out = append(out, Use{namespace, verb, group, resource, name})
				}
			}
		}
	}
	return out
}

// Bind are the objects that give the rules to a service account: roles named as
// it is, so that the names must be the test's own.
func Bind(namespace, account string, granted map[string][]rbac.PolicyRule) []client.Object {
	subjects := []rbac.Subject{{Kind: rbac.ServiceAccountKind, Namespace: namespace, Name: account}}
	var out []client.Object
	for at, rules := range granted {
		if at == "" {
			meta := metav1.ObjectMeta{Name: account}
			out = append(out, &rbac.ClusterRole{ObjectMeta: meta, Rules: rules}, &rbac.ClusterRoleBinding{ObjectMeta: meta,
				RoleRef: rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "ClusterRole", Name: account}, Subjects: subjects})
			continue
		}
		meta := metav1.ObjectMeta{Name: account, Namespace: at}
		out = append(out, &rbac.Role{ObjectMeta: meta, Rules: rules}, &rbac.RoleBinding{ObjectMeta: meta,
			RoleRef: rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "Role", Name: account}, Subjects: subjects})
	}
	return out
}

// holdsWithin bounds how long the API server may take to know of a role.
const holdsWithin = 20 * time.Second

// Await returns when what Bind gives holds.
func Await(ctx context.Context, c client.Client, namespace, account string, granted map[string][]rbac.PolicyRule) error {
	for at, rules := range granted {
		one := spread(at, rules[0])[0]
		err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, holdsWithin, true, func(ctx context.Context) (bool, error) {
			review := &authorization.SubjectAccessReview{Spec: authorization.SubjectAccessReviewSpec{
				User:               "system:serviceaccount:" + namespace + ":" + account,
				ResourceAttributes: &authorization.ResourceAttributes{Namespace: at, Verb: one.Verb, Group: one.Group, Resource: one.Resource, Name: one.Name},
			}}
			err := c.Create(ctx, review)
			return review.Status.Allowed, err
		})
		if err != nil {
			return fmt.Errorf("%s/%s may not %s: %w", namespace, account, one, err)
		}
	}
	return nil
}
