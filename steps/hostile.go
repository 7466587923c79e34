package steps

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/engine"
)

func (w *World) hostileSteps(sc *godog.ScenarioContext) {
	sc.When(`^the owner of (c\d) is talked into applying:$`, func(ctx context.Context, mesh string, declarations *godog.DocString) error {
		return w.applyHostile(ctx, mesh, declarations.Content)
	})
	sc.When(`^the owner of (c\d) is talked into applying (.+)$`, func(ctx context.Context, mesh, what string) error {
		declarations, err := monster(what)
		if err != nil {
			return err
		}
		return w.applyHostile(ctx, mesh, declarations)
	})
	sc.Then(`^it is refused, and the refusal speaks of (.+)$`, w.refusedBecause)
	sc.Then(`^the objects of (c\d) are as before$`, w.undisturbed)
}

// hostile is a declaration that should not have been accepted.
type hostile struct {
	mesh string
	// since is what has changed in the mesh of an engine's kinds.
	since Since
	// refusal is what the engine said; nil if it accepted.
	refusal error
	took    time.Duration
}

// refusedWithin is how long an engine may think about a hostile declaration.
const refusedWithin = 10 * time.Second

// applyHostile adds to what is declared something that must not be, and takes
// note of what the engine says. What was declared before stays the owner's wish.
func (w *World) applyHostile(ctx context.Context, mesh, declarations string) error {
	since, err := w.Snapshot(ctx, mesh)
	if err != nil {
		return inconclusive(err)
	}
	c, err := w.Lab.Cluster(mesh)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, refusedWithin)
	defer cancel()
	start := time.Now()
	refusal := w.Engine.Apply(bounded, c, w.declared[mesh]+"\n---\n"+declarations)
	w.hostile = &hostile{mesh: mesh, since: since, refusal: refusal, took: time.Since(start)}
	w.record = append(w.record, fmt.Sprintf("hostile declaration of %d bytes: %s after %s", len(declarations), short(refusal), w.hostile.took.Round(time.Millisecond)))
	if ctx.Err() != nil {
		return inconclusive(context.Cause(ctx))
	}
	// That it does not know the step is no refusal of what is hostile in it.
	if errors.Is(refusal, engine.ErrUnsupported) {
		return supported(refusal)
	}
	if bounded.Err() != nil {
		return fmt.Errorf("the engine still thought about it after %s: %w", refusedWithin, refusal)
	}
	return nil
}

// short cuts a refusal down to what fits a line of a report.
func short(err error) string {
	const most = 500
	text := strings.Join(strings.Fields(fmt.Sprint(err)), " ")
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// refusedBecause: a refusal for another reason would be luck.
func (w *World) refusedBecause(words string) error {
	switch {
	case w.hostile == nil:
		return errors.New("nothing hostile was applied")
	case w.hostile.refusal == nil:
		return errors.New("the engine has accepted it")
	case !strings.Contains(w.hostile.refusal.Error(), words):
		return fmt.Errorf("it was refused for another reason than %q: %s", words, short(w.hostile.refusal))
	}
	return nil
}

func (w *World) undisturbed(ctx context.Context, mesh string) error {
	if w.hostile == nil || w.hostile.mesh != mesh {
		return fmt.Errorf("nothing hostile was applied in %s: begin with that", mesh)
	}
	changed, err := w.hostile.since(ctx)
	if err != nil {
		return inconclusive(err)
	}
	if len(changed) > 0 {
		return fmt.Errorf("in %s: %s", mesh, strings.Join(changed, "; "))
	}
	return nil
}

// takeBack has the owner wish again for what was declared before, so that an
// engine that keeps what it refuses (as a resource with a condition) forgets it.
func (w *World) takeBack(ctx context.Context) error {
	if w.hostile == nil {
		return nil
	}
	c, err := w.Lab.Cluster(w.hostile.mesh)
	if err != nil {
		return err
	}
	return w.Engine.Apply(ctx, c, w.declared[w.hostile.mesh])
}

// monster makes what is too large to be written down.
func monster(what string) (string, error) {
	peer := "apiVersion: federation.meshfed.io/v1alpha1\nkind: Peer\nmetadata: {name: c9}\nspec: "
	switch what {
	case "a document of 100 MB":
		return peer + "{sni: " + strings.Repeat("a", 100<<20) + "}\n", nil
	case "a document 100000 levels deep":
		return peer + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "\n", nil
	case "a document with 1000000 names":
		var b strings.Builder
		b.WriteString(peer + "{")
		for i := range 1_000_000 {
			fmt.Fprintf(&b, "x%d: y, ", i)
		}
		return b.String() + "}\n", nil
	}
	return "", fmt.Errorf("%q: want a document of 100 MB, 100000 levels deep, or with 1000000 names", what)
}
