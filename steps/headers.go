package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/rawhttp"
)

// ofTheCaller are header lines as callers have them: who asks, on whose behalf,
// and what belongs together.
func ofTheCaller() []rawhttp.Field {
	return []rawhttp.Field{
		{Name: "User-Agent", Value: "meshfed"}, {Name: "Accept", Value: "application/json"}, {Name: "Authorization", Value: "Bearer of-nobody"},
		{Name: "Cookie", Value: "session=none"}, {Name: "End-User", Value: "jasmin"}, {Name: "Baggage", Value: "caller=own"},
		{Name: "Traceparent", Value: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	}
}

// sameHeaders holds a request to another mesh against one that stays within a
// mesh, from the same program to a workload of the same kind: on the way there
// and back nobody has added a header or taken one away, but for those in the
// table, which the request may have.
func (w *World) sameHeaders(ctx context.Context, method, url, mesh, likeMethod, likeURL, likeMesh string, table *godog.Table) error {
	there, err := w.withHeaders(ctx, w.inside(mesh, Request{Method: method, URL: url, Header: ofTheCaller()}))
	if err != nil {
		return err
	}
	like, err := w.withHeaders(ctx, w.inside(likeMesh, Request{Method: likeMethod, URL: likeURL, Header: ofTheCaller()}))
	if err != nil {
		return err
	}
	for _, row := range table.Rows {
		there.request = slices.DeleteFunc(slices.Clone(there.request), func(name string) bool { return name == row.Cells[0].Value })
	}
	return errors.Join(
		differ("the request", there.request, like.request), differ("the answer", there.answer, like.answer),
		unchanged(there.values), unchanged(like.values))
}

// seenHeaders are those of a request and its answer at their ends.
type seenHeaders struct {
	request, answer []string
	values          http.Header
}

// withHeaders asks, and looks at what arrived at who answered.
func (w *World) withHeaders(ctx context.Context, q question) (seenHeaders, error) {
	one, err := w.until(ctx, q, settling, "an answer", func(o traffic.Outcome) bool { return o.Kind == traffic.Allowed })
	if err != nil {
		return seenHeaders{}, err
	}
	arrivals, err := w.Meshes.Arrivals(ctx, one.Backend.Cluster, one.nonce)
	if err != nil {
		return seenHeaders{}, inconclusive(err)
	}
	for _, a := range arrivals {
		if a.Service == one.Backend.Service && a.Version == one.Backend.Version && len(a.Names) > 0 {
			return seenHeaders{a.Names, slices.Sorted(maps.Keys(one.Header)), a.Header}, nil
		}
	}
	return seenHeaders{}, inconclusive(fmt.Errorf("no workload of %s has kept the headers of %s", one.Backend.Cluster, one))
}

func differ(what string, got, want []string) error {
	var errs []error
	for _, name := range got {
		if !slices.Contains(want, name) {
			errs = append(errs, fmt.Errorf("%s has the header %s, which one within the mesh has not", what, name))
		}
	}
	for _, name := range want {
		if !slices.Contains(got, name) {
			errs = append(errs, fmt.Errorf("%s lacks the header %s, which one within the mesh has", what, name))
		}
	}
	return errors.Join(errs...)
}

// unchanged looks at the values that a workload keeps of a caller's headers.
func unchanged(got http.Header) error {
	var errs []error
	for _, sent := range ofTheCaller() {
		if values := got.Values(sent.Name); len(values) > 0 && !slices.Equal(values, []string{sent.Value}) {
			errs = append(errs, fmt.Errorf("the request's header %s was %q and arrived as %q", sent.Name, sent.Value, values))
		}
	}
	return errors.Join(errs...)
}
