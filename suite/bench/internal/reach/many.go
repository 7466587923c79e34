package reach

import (
	"cmp"
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"golang.org/x/sync/errgroup"

	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/wire"
)

// Knocks implements steps.Meshes. Requests of the same caller by the same SNI
// follow one another on connections: what decides over a handshake is the same
// for all of them, and what decides over a request is decided anew for each.
// Whoever is refused in the handshake is so each time.
func (r *Reach) Knocks(ctx context.Context, mesh string, all []steps.Knock) ([]traffic.Outcome, error) {
	outcomes := make([]traffic.Outcome, len(all))
	workers, ctx := errgroup.WithContext(ctx)
	for _, share := range shares(all) {
		workers.Go(func() error { return r.knockInTurn(ctx, mesh, all, share, outcomes) })
	}
	return outcomes, workers.Wait()
}

// connection is the caller without what is said on the connection.
func connection(k steps.Knock) steps.Caller {
	as := k.As
	as.Host = ""
	return as
}

// shares divides the knocks among workers, those that can share a connection
// side by side.
func shares(all []steps.Knock) [][]int {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := connection(all[i]), connection(all[j])
		return cmp.Or(cmp.Compare(a.Credentials, b.Credentials), cmp.Compare(a.Mesh, b.Mesh), cmp.Compare(a.Authority, b.Authority), cmp.Compare(a.SNI, b.SNI))
	})
	return slices.Collect(slices.Chunk(order, max((len(order)+inFlight-1)/inFlight, 1)))
}

func (r *Reach) knockInTurn(ctx context.Context, mesh string, all []steps.Knock, share []int, outcomes []traffic.Outcome) error {
	var session *traffic.Session
	var as steps.Caller
	closeIt := func() {
		if session != nil {
			session.Close()
		}
	}
	defer func() { closeIt() }()
	for _, i := range share {
		if session == nil || as != connection(all[i]) {
			closeIt()
			as = connection(all[i])
			edge, err := r.edge(ctx, mesh, as)
			if err != nil {
				return err
			}
			session = traffic.NewSession(edge)
		}
		outcome, err := session.Do(ctx, call(mesh, all[i].As, all[i].Request))
		if err != nil {
			return err
		}
		outcomes[i] = outcome
	}
	return nil
}

// FromWorkload implements steps.Meshes. All of them are sent in one exec.
func (r *Reach) FromWorkload(ctx context.Context, mesh string, all []steps.Request) ([]traffic.Outcome, error) {
	m, err := r.mesh(mesh)
	if err != nil {
		return nil, err
	}
	asks := make([]traffic.Ask, 0, len(all))
	for _, q := range all {
		headers := map[string][]string{}
		for _, f := range q.Header {
			headers[f.Name] = append(headers[f.Name], f.Value)
		}
		asks = append(asks, traffic.Ask{Request: wire.Request{
			Method: q.Method, URL: q.URL, Host: q.Host, Nonce: q.Nonce, Headers: headers,
			TimeoutMs: int(patience.Milliseconds()), FreshConnection: true,
		}})
	}
	sleep := traffic.Workload{
		Pods: m.Pods, Ref: workload.Ref{Namespace: metav1.NamespaceDefault, Selector: "app=sleep"}, Program: fixtures.Binary,
	}
	return sleep.Send(ctx, asks...)
}
