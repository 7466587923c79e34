package reach

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/traffic"
)

// asker is a client of package traffic.
type asker interface {
	Do(ctx context.Context, c traffic.Call) (traffic.Outcome, error)
}

// kept is a client with one connection.
type kept interface {
	asker
	Live() bool
	Close()
}

// line is a steps.Line.
type line struct {
	mesh  string
	as    steps.Caller
	asker asker
	// kept is nil if each request has a connection of its own.
	kept kept
	used bool
}

// Line implements steps.Meshes.
func (r *Reach) Line(ctx context.Context, mesh string, as steps.Caller, kind reports.Connection) (steps.Line, error) {
	edge, err := r.edge(ctx, mesh, as)
	if err != nil {
		return nil, err
	}
	l := &line{mesh: mesh, as: as}
	switch kind {
	case reports.NewConnection:
		l.asker = edge
	case reports.ResumedConnection:
		edge.Tickets = tls.NewLRUClientSessionCache(1)
		l.asker = edge
	case reports.LiveHTTP1, reports.IdleHTTP1:
		l.kept = traffic.NewSession(edge)
	case reports.OpenStream:
		l.kept = traffic.NewStream(edge)
	case reports.LiveHTTP2:
		l.kept = traffic.NewMultiplexed(edge)
	default:
		return nil, fmt.Errorf("a line of connection %q: there is none at a gateway for HTTP", kind)
	}
	if l.kept != nil {
		l.asker = l.kept
	}
	return l, nil
}

// Ask implements steps.Line.
func (l *line) Ask(ctx context.Context, q steps.Request) (traffic.Outcome, error) {
	l.used = true
	return l.asker.Do(ctx, call(l.mesh, l.as, q))
}

// Live implements steps.Line. Before its first request a connection is not
// there yet, and not gone.
func (l *line) Live() bool { return l.kept == nil || !l.used || l.kept.Live() }

// Close implements steps.Line.
func (l *line) Close() {
	if l.kept != nil {
		l.kept.Close()
	}
}
