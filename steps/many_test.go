package steps

import (
	"context"
	"errors"
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
}

var errBroken = errors.New("exec: connection reset by peer")

func (b *breaking) Inside(ctx context.Context, mesh string, r Request, times int) ([]traffic.Outcome, error) {
	answers, err := b.shared.Inside(ctx, mesh, r, times)
	if times > 1 && b.times > 0 {
		b.times--
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
					s := &shared{arrived: map[string][]string{}}
					w := NewWorld(Environment{Meshes: &breaking{s, broken}, Lab: twoMeshes{}})
					err := claim(t.Context(), w)
					require.ErrorIs(t, err, says)
					if says != nil {
						require.ErrorIs(t, err, reports.ErrInconclusive)
					}
					for _, nonce := range s.arrived["c1"] {
						assert.LessOrEqual(t, count(s.arrived["c1"], nonce), 200, "each try has a nonce of its own")
					}
				})
			}
		})
	}
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}
