package steps

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
)

// shared are two meshes with a service of the same name. From c1 each request of
// a period leaves, none if it is zero.
type shared struct {
	Meshes
	period int

	asked int
	// arrived are the nonces that a mesh has seen.
	arrived map[string][]string
	// copied: the other mesh sees what stays, too.
	copied bool
	// late is how many requests of the first leave before the change is in force.
	late int
	// takes is how long one takes; zero is a millisecond.
	takes time.Duration
}

func (s *shared) Inside(ctx context.Context, _ string, r Request, times int) ([]traffic.Outcome, error) {
	var all []traffic.Outcome
	for range times {
		s.asked++
		if !traffic.Rest(ctx, cmp.Or(s.takes, time.Millisecond)) {
			return nil, ctx.Err()
		}
		from := "c1"
		if s.period > 0 && s.asked%s.period == 0 || s.asked > 1 && s.asked <= s.late {
			from = "c2"
		}
		s.arrived[from] = append(s.arrived[from], r.Nonce)
		if s.copied {
			s.arrived["c2"] = append(s.arrived["c2"], r.Nonce)
		}
		all = append(all, traffic.Outcome{
			Kind: traffic.Allowed, Backend: traffic.Backend{Service: "reviews", Version: "v1", Cluster: from}, Body: pageOf(r, from),
		})
	}
	return all, nil
}

func pageOf(r Request, from string) string {
	if r.URL != productPageURL {
		return ""
	}
	return fmt.Sprintf("<dt>Reviews served by:</dt><dd><u>reviews-v1-x</u> on cluster <u>%s</u></dd>", from)
}

func (s *shared) Arrivals(_ context.Context, mesh, nonce string) ([]Arrival, error) {
	if slices.Contains(s.arrived[mesh], nonce) {
		return []Arrival{{Service: "reviews", Version: "v1", Cluster: mesh}}, nil
	}
	return nil, nil
}

type meshNamed struct {
	cluster.Cluster
	name string
}

func (m meshNamed) Name() string { return m.name }

type twoMeshes struct{ cluster.Lab }

func (twoMeshes) Clusters() []cluster.Cluster {
	return []cluster.Cluster{meshNamed{name: "c1"}, meshNamed{name: "c2"}}
}

// claims of a scenario that all requests stay.
func claims() map[string]func(context.Context, *World) error {
	return map[string]func(context.Context, *World) error{
		"page": func(ctx context.Context, w *World) error {
			return w.pageShowsAll(ctx, "c1", everybody, "reviews without stars from c1", "c1", 50)
		},
		"service": func(ctx context.Context, w *World) error {
			return w.workloadAnsweredAll(ctx, "c1", "GET", "http://reviews:9080/reviews/0", "reviews", "v1", "c1", 200)
		},
	}
}

// A machine that cannot ask them all in time has seen nothing against the engine.
func TestAMachineThatIsTooSlowToAskThemAllDecidesNothing(t *testing.T) {
	for name, claim := range claims() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &shared{takes: 300 * time.Millisecond, arrived: map[string][]string{}}
				err := claim(t.Context(), NewWorld(Environment{Meshes: s, Lab: twoMeshes{}}))
				require.ErrorIs(t, err, reports.ErrInconclusive)
			})
		})
	}
}

func TestOneLuckyAnswerProvesNothingOfAll(t *testing.T) {
	for name, claim := range claims() {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				meshes shared
				says   string
			}{
				{shared{}, ""},
				{shared{late: 120}, ""},
				{shared{period: 10}, "seen last: "},
				{shared{copied: true}, "c2"},
			} {
				synctest.Test(t, func(t *testing.T) {
					c.meshes.arrived = map[string][]string{}
					err := claim(t.Context(), NewWorld(Environment{Meshes: &c.meshes, Lab: twoMeshes{}}))
					if c.says == "" {
						require.NoError(t, err)
						return
					}
					assert.ErrorContains(t, err, c.says)
				})
			}
		})
	}
}
