package reach

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"

	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/traffic"
)

// ticket is a TLS session that is offered to whatever name is asked for: an
// honest client keeps them apart by name.
type ticket struct {
	mu      sync.Mutex
	session *tls.ClientSessionState
}

// Get implements tls.ClientSessionCache.
func (t *ticket) Get(string) (*tls.ClientSessionState, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.session, t.session != nil
}

// Put implements tls.ClientSessionCache. A session that was refused is put back
// as nil; the first one is kept.
func (t *ticket) Put(_ string, s *tls.ClientSessionState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.session == nil {
		t.session = s
	}
}

// resumed takes up a session by one name of a gateway and asks by another. That
// the first gives none leaves nothing to try.
func (r *Reach) resumed(ctx context.Context, mesh string, as steps.Caller, q steps.Request) (traffic.Outcome, error) {
	kept := &ticket{}
	first := as
	first.SNI, first.Host = as.Earlier, as.Earlier
	before, err := r.edge(ctx, mesh, first)
	if err != nil {
		return traffic.Outcome{}, err
	}
	before.Tickets = kept
	opening := steps.Request{Method: q.Method, URL: q.URL}
	took, err := before.Do(ctx, call(mesh, first, opening))
	if err != nil {
		return traffic.Outcome{}, err
	}
	if _, has := kept.Get(""); !has {
		return traffic.Outcome{}, fmt.Errorf("no TLS session to resume: %s by %s got %s", mesh, as.Earlier, took)
	}
	edge, err := r.edge(ctx, mesh, as)
	if err != nil {
		return traffic.Outcome{}, err
	}
	edge.Tickets = kept
	return edge.Do(ctx, call(mesh, as, q))
}
