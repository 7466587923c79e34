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
)

// sameHeaders holds the request that was answered last against one that stays
// within a mesh, from the same program to a workload of the same kind: on the
// way there and back nobody has added a header or taken one away, but for those
// in the table, which the request may have. Values are not compared: ids and
// times differ from one request to the next.
func (w *World) sameHeaders(ctx context.Context, method, url, mesh string, table *godog.Table) error {
	if w.seen == nil {
		return errNoControl
	}
	local, err := w.until(ctx, w.inside(mesh, Request{Method: method, URL: url}), settling, "an answer",
		func(o traffic.Outcome) bool { return o.Kind == traffic.Allowed })
	if err != nil {
		return err
	}
	there, err := w.namesThere(ctx, *w.seen)
	if err != nil {
		return err
	}
	here, err := w.namesThere(ctx, local)
	if err != nil {
		return err
	}
	for _, row := range table.Rows {
		there = slices.DeleteFunc(there, func(name string) bool { return name == row.Cells[0].Value })
	}
	return errors.Join(
		differ(fmt.Sprintf("the request that %s saw", w.seen.Backend), there, here),
		differ("its answer", names(w.seen.Header), names(local.Header)))
}

// namesThere are the names of the headers with which a request reached who
// answered it.
func (w *World) namesThere(ctx context.Context, one asked) ([]string, error) {
	arrivals, err := w.Meshes.Arrivals(ctx, one.Backend.Cluster, one.nonce)
	if err != nil {
		return nil, inconclusive(err)
	}
	for _, a := range arrivals {
		if a.Service == one.Backend.Service && a.Version == one.Backend.Version && len(a.Names) > 0 {
			return a.Names, nil
		}
	}
	return nil, inconclusive(fmt.Errorf("no workload of %s has kept the headers of %s", one.Backend.Cluster, one))
}

func names(all http.Header) []string { return slices.Sorted(maps.Keys(all)) }

func differ(what string, got, want []string) error {
	var errs []error
	for _, name := range got {
		if !slices.Contains(want, name) {
			errs = append(errs, fmt.Errorf("%s has the header %s, which a request within the mesh has not", what, name))
		}
	}
	for _, name := range want {
		if !slices.Contains(got, name) {
			errs = append(errs, fmt.Errorf("%s lacks the header %s, which a request within the mesh has", what, name))
		}
	}
	return errors.Join(errs...)
}
