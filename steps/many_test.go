package steps

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
)

// breaking is a way that breaks so many times after the requests have been sent.
type breaking struct {
	*shared
	times int
	// tries are the nonces of many requests, one of each try.
	tries []string
}

var errBroken = errors.New("exec: connection reset by peer")

func (b *breaking) Inside(ctx context.Context, mesh string, r Request, times int) ([]traffic.Outcome, error) {
	answers, err := b.shared.Inside(ctx, mesh, r, times)
	if times == 1 {
		return answers, err
	}
	b.tries = append(b.tries, r.Nonce)
	if len(b.tries) <= b.times {
		return nil, errBroken
	}
	return answers, err
}

func TestRequestsWhoseAnswersWereLostAreSentAnew(t *testing.T) {
	asks := claims()
	asks["share"] = func(ctx context.Context, w *World) error {
		return w.share(ctx, 100, 100, 100, "GET", "http://reviews:9080/reviews/0", "c1", "reviews v1 of c1")
	}
	for name, claim := range asks {
		t.Run(name, func(t *testing.T) {
			for broken, says := range map[int]error{0: nil, 1: nil, 2: errBroken} {
				synctest.Test(t, func(t *testing.T) {
					b := &breaking{shared: &shared{arrived: map[string][]string{}}, times: broken}
					err := claim(t.Context(), NewWorld(Environment{Meshes: b, Lab: twoMeshes{}}))
					require.ErrorIs(t, err, says)
					if says != nil {
						require.ErrorIs(t, err, reports.ErrInconclusive)
					}
					slices.Sort(b.tries)
					assert.Len(t, slices.Compact(b.tries), min(broken+1, 2), "each try has a nonce of its own")
				})
			}
		})
	}
}
