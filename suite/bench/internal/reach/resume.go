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
// the first gives none, or will not have it again itself, leaves nothing to try.
func (r *Reach) resumed(ctx context.Context, mesh string, as steps.Caller, q steps.Request) (traffic.Outcome, error) {
	kept := &ticket{}
	first := as
	first.SNI, first.Host = as.Earlier, as.Earlier
	before, err := r.edge(ctx, mesh, first)
	if err != nil {
		return traffic.Outcome{}, err
	}
	before.Tickets = kept
	if err := takeUp(ctx, before, call(mesh, first, steps.Request{Method: q.Method, URL: q.URL})); err != nil {
		return traffic.Outcome{}, fmt.Errorf("%s by %s: %w", mesh, as.Earlier, err)
	}
	edge, err := r.edge(ctx, mesh, as)
	if err != nil {
		return traffic.Outcome{}, err
	}
	edge.Tickets = kept
	return edge.Do(ctx, call(mesh, as, q))
}

// takeUp takes up a session, and once more what was taken up.
func takeUp(ctx context.Context, e traffic.Edge, c traffic.Call) error {
	took, err := e.Do(ctx, c)
	if err != nil {
		return err
	}
	if _, has := e.Tickets.Get(""); !has {
		return fmt.Errorf("no TLS session to resume: got %s", took)
	}
	again, err := e.Do(ctx, c)
	if err != nil {
		return err
	}
	if !again.Resumed {
		return fmt.Errorf("a TLS session that is not resumed by its own name either: got %s", again)
	}
	return nil
}
