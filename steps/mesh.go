package steps

import (
	"context"
	"fmt"
	"strings"

	"github.com/cucumber/godog"
)

func (w *World) meshSteps(sc *godog.ScenarioContext) {
	sc.Given(`^the meshes (c\d) and (c\d) are paired$`, w.paired)
	sc.Given(`^the owner of c\d expects (c\d) to be "([^"]*)"$`, w.expects)
	sc.Then(`^nothing of the engine is left in (c\d)$`, w.nothingLeft)
}

// paired holds before anything is applied: what the owners know of each other
// is in front of the first declarations they apply.
func (w *World) paired(first, second string) error {
	for _, mesh := range []string{first, second} {
		if _, err := w.Lab.Cluster(mesh); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) expects(peer, identity string) error {
	w.expected[peer] = identity
	return nil
}

func (w *World) nothingLeft(ctx context.Context, mesh string) error {
	left, err := w.Leftovers(ctx, mesh)
	if err != nil {
		return inconclusive(err)
	}
	if len(left) > 0 {
		return fmt.Errorf("in %s: %s", mesh, strings.Join(left, "; "))
	}
	return nil
}
