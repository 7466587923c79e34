package steps

import (
	"context"
	"fmt"

	"github.com/meshfed/meshfed/traffic"
)

// many asks from within a mesh, so many times with one nonce, and anew with
// another one if the way to the pod broke. A long answer is lost with that way
// (a busy API server may end a stream before all of it is through), and then
// nothing is known of the requests, neither good nor bad: the second ones stand
// for themselves.
func (w *World) many(ctx context.Context, mesh string, r Request, times int) (nonce string, answers []traffic.Outcome, err error) {
	r.Nonce = newNonce()
	answers, err = w.Meshes.Inside(ctx, mesh, r, times)
	if err == nil || ctx.Err() != nil {
		return r.Nonce, answers, err
	}
	w.record = append(w.record, fmt.Sprintf("%s in %s, %d times [nonce %s]: %s", r, mesh, times, r.Nonce, err))
	r.Nonce = newNonce()
	answers, again := w.Meshes.Inside(ctx, mesh, r, times)
	if again != nil {
		return r.Nonce, nil, fmt.Errorf("%w; and again: %w", err, again)
	}
	return r.Nonce, answers, nil
}
