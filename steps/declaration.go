package steps

import (
	"context"

	"github.com/cucumber/godog"
)

func (w *World) declarationSteps(sc *godog.ScenarioContext) {
	sc.Step(`^the owner of (c\d) applies:$`, func(ctx context.Context, mesh string, declarations *godog.DocString) error {
		return w.apply(ctx, mesh, declarations.Content)
	})
	sc.Step(`^the owner of (c\d) cancels$`, w.cancel)
	sc.Step(`^the owner of (c\d) cancels again$`, w.cancelAgain)
}
