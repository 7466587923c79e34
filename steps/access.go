package steps

import (
	"context"
	"fmt"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/traffic"
)

func (w *World) accessSteps(sc *godog.ScenarioContext) {
	sc.Given(`^there are (\d) meshes$`, w.meshesAtLeast)
	sc.Step(`^in (c\d), "([A-Z]+) ([^"]+)" from (\w+) is answered by (\w+) (v\d) of (c\d)$`, w.answeredFrom)
	sc.Then(`^in (c\d), "([A-Z]+) ([^"]+)"(?: from (\w+))? is refused: (.+)$`, w.insideRefused)
	sc.Then(`^soon, in (c\d), "([A-Z]+) ([^"]+)"(?: from (\w+))? is refused: (.+)$`, w.insideRefusedSoon)
	sc.Then(`^with these certificates, methods and paths, (c\d) answers or refuses:$`, w.matrix)
}

// meshesAtLeast skips a scenario for which the lab is too small.
func (w *World) meshesAtLeast(n int) error {
	if got := len(w.Lab.Clusters()); got < n {
		return fmt.Errorf("%w: it needs %d meshes and there are %d: --clusters %d", godog.ErrSkip, n, got, n)
	}
	return nil
}

func (w *World) answeredFrom(ctx context.Context, mesh, method, url, from, service, version, of string) error {
	return w.answered(ctx, w.inside(mesh, Request{Method: method, URL: url, From: from}),
		traffic.Backend{Service: service, Version: version, Cluster: of})
}

func (w *World) insideRefused(ctx context.Context, mesh, method, url, from, words string) error {
	r, err := parseRefusal(words)
	if err != nil {
		return err
	}
	return w.refused(ctx, w.inside(mesh, Request{Method: method, URL: url, From: from}), words, r.fits)
}

// insideRefusedSoon is for what the owner of a mesh changes: her sidecars have
// to hear of it first. Then it is asked once more, as every refusal is.
func (w *World) insideRefusedSoon(ctx context.Context, mesh, method, url, from, words string) error {
	r, err := parseRefusal(words)
	if err != nil {
		return err
	}
	q := w.inside(mesh, Request{Method: method, URL: url, From: from})
	if _, err := w.until(ctx, q, settling, words, r.fits); err != nil {
		return err
	}
	return w.refused(ctx, q, words, r.fits)
}

// matrix checks every combination once: those of the table are answered by the
// workload it names, and a "-" is a refusal by policy.
func (w *World) matrix(ctx context.Context, mesh string, table *godog.Table) error {
	header := table.Rows[0].Cells
	for _, row := range table.Rows[1:] {
		for i, cell := range row.Cells[2:] {
			caller, path, method := row.Cells[0].Value, row.Cells[1].Value, header[i+2].Value
			if err := w.matrixCell(ctx, mesh, caller, method, path, cell.Value); err != nil {
				return fmt.Errorf("%s, %s %s: %w", caller, method, path, err)
			}
		}
	}
	return nil
}

func (w *World) matrixCell(ctx context.Context, mesh, caller, method, path, want string) error {
	if want == "-" {
		return w.edgeRefused(ctx, mesh, method, path, caller, "denied by policy")
	}
	backend, err := parseWorkload(want)
	if err != nil {
		return err
	}
	return w.edgeAnswered(ctx, mesh, method, path, caller, backend.Service, backend.Version, backend.Cluster)
}
