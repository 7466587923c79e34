package reach

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/wire"
)

// inFlight is how many of several requests are sent at once.
const inFlight = 8

// Inside implements steps.Meshes. Each of several requests has a connection of
// its own, so that each is balanced anew.
func (r *Reach) Inside(ctx context.Context, mesh string, q steps.Request, times int) ([]traffic.Outcome, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return nil, err
	}
	from, err := sender(ctx, m, q.From)
	if err != nil {
		return nil, fmt.Errorf("send from %s in %s: %w", q.From, mesh, err)
	}
	return traffic.Workload{Pods: m.Pods, Ref: from, Program: fixtures.Binary}.Send(ctx, traffic.Ask{Request: wire.Request{
		ID: "0", Method: q.Method, URL: q.URL, Nonce: q.Nonce, Headers: headers(q),
		TimeoutMs: int(patience.Milliseconds()), Count: times, Concurrency: min(times, inFlight), FreshConnection: true,
	}})
}

// sender is a workload by the name of its app, in whichever namespace the
// owner of the mesh has put it; by default the one the seed deploys for that.
func sender(ctx context.Context, m Mesh, app string) (workload.Ref, error) {
	if app == "" {
		return workload.Ref{Namespace: metav1.NamespaceDefault, Selector: "app=sleep"}, nil
	}
	selector := "app=" + app
	pods, err := m.Pods.Kube().CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return workload.Ref{}, err
	}
	if len(pods.Items) == 0 {
		return workload.Ref{}, fmt.Errorf("no pod has the label %s", selector)
	}
	return workload.Ref{Namespace: pods.Items[0].Namespace, Selector: selector, Container: app}, nil
}

// headers are those of the request, and a user's. She signs in by both ways at
// once: the product page looks at the cookie, everything behind it at the header.
func headers(q steps.Request) map[string][]string {
	all := http.Header{}
	for _, line := range q.Header {
		all.Add(line.Name, line.Value)
	}
	if q.User != "" {
		all.Set("End-User", q.User)
		all.Set("Cookie", "user="+q.User)
	}
	return all
}

// counting selects the workloads that count what arrives.
const counting = "app in (productpage,details,reviews,ratings)"

// recently is longer than a scenario may take from a request to the question
// whether it arrived. A cluster whose clock is further behind does not count the
// control either, so that nothing is proven by it.
const recently = 2 * time.Minute

// Arrivals implements steps.Meshes.
func (r *Reach) Arrivals(ctx context.Context, mesh, nonce string) ([]steps.Arrival, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return nil, err
	}
	refs, err := counters(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("arrivals in %s: %w", mesh, err)
	}
	if len(refs) == 0 {
		return nil, nil
	}
	seen, err := r.witness(mesh, m).Lately(ctx, nonce, recently, refs...)
	if err != nil {
		return nil, fmt.Errorf("arrivals in %s: %w", mesh, err)
	}
	var arrivals []steps.Arrival
	for _, pod := range seen.Pods {
		for _, a := range pod.Arrivals {
			arrivals = append(arrivals, steps.Arrival{
				Service: pod.Service, Version: pod.Version, Cluster: pod.Cluster,
				Method: a.Method, Path: a.Path, Host: a.Host, Header: a.Headers, Names: a.Names, XFCC: a.XFCC,
			})
		}
	}
	return arrivals, nil
}

// witness of a mesh; it lives until Close.
func (r *Reach) witness(mesh string, m Mesh) *traffic.Witness {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, known := r.witnesses[mesh]
	if !known {
		w = traffic.NewWitness(m.Pods, fixtures.Binary)
		r.witnesses[mesh] = w
	}
	return w
}

// counters are the counting workloads, in whichever namespaces the owner of
// the mesh has put them. They are taken from the Deployments: one whose pods
// are missing must be an error later on, and a mesh that deploys none has
// nobody who could see a request.
func counters(ctx context.Context, m Mesh) ([]workload.Ref, error) {
	list, err := m.Pods.Kube().AppsV1().Deployments(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: counting})
	if err != nil {
		return nil, err
	}
	var refs []workload.Ref
	for _, d := range list.Items {
		ref := workload.Ref{Namespace: d.Namespace, Selector: counting}
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs, nil
}
