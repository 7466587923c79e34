package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/traffic"
)

// besieged are meshes whose gateway takes a second for each attack. It refuses
// all that does not ask for /leak, and answers the control.
type besieged struct {
	Meshes

	mu        sync.Mutex
	now, most int
	// dead are the controls that fail, by their number.
	dead     []int
	controls int
	arrived  []string
}

const controlPath = "/control"

func (b *besieged) Edge(_ context.Context, _ string, _ Caller, r Request) (traffic.Outcome, error) {
	if r.URL == controlPath {
		return b.control(r), nil
	}
	b.count(1)
	time.Sleep(time.Second)
	b.count(-1)
	if r.URL == "/leak" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.arrived = append(b.arrived, r.Nonce)
		return traffic.Outcome{Kind: traffic.Allowed, Backend: traffic.Backend{Service: "ratings", Cluster: "c2"}}, nil
	}
	return traffic.Outcome{Kind: traffic.DeniedByPolicy}, nil
}

func (b *besieged) count(more int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now += more
	b.most = max(b.most, b.now)
}

func (b *besieged) control(r Request) traffic.Outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.controls++
	if slices.Contains(b.dead, b.controls) {
		return traffic.Outcome{Kind: traffic.UpstreamFailed}
	}
	b.arrived = append(b.arrived, r.Nonce)
	return traffic.Outcome{Kind: traffic.Allowed, Backend: traffic.Backend{Service: "reviews", Cluster: "c2"}}
}

func (b *besieged) Arrivals(_ context.Context, _, nonce string) ([]Arrival, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.Contains(b.arrived, nonce) {
		return []Arrival{{Service: "ratings", Cluster: "c2"}}, nil
	}
	return nil, nil
}

type oneMesh struct{ cluster.Cluster }

func (oneMesh) Name() string { return "c2" }

type oneMeshLab struct{ cluster.Lab }

func (oneMeshLab) Clusters() []cluster.Cluster { return []cluster.Cluster{oneMesh{}} }

func besiegedWorld(t *testing.T, b *besieged) *World {
	t.Helper()
	w := NewWorld(Environment{Meshes: b, Lab: oneMeshLab{}})
	q, err := w.atEdge("c2", "GET", controlPath, "c1's certificate")
	require.NoError(t, err)
	w.control = &control{question: q, fits: by(traffic.Backend{})}
	return w
}

func attackTable(targets ...string) *godog.Table {
	row := func(values ...string) *messages.PickleTableRow {
		r := &messages.PickleTableRow{}
		for _, v := range values {
			r.Cells = append(r.Cells, &messages.PickleTableCell{Value: v})
		}
		return r
	}
	table := &godog.Table{Rows: []*messages.PickleTableRow{row("attack", "caller", "request", "refusal", "source")}}
	for i, target := range targets {
		table.Rows = append(table.Rows, row(fmt.Sprintf("attack %d", i), "c1's certificate", "GET "+target, "denied by policy", "a test"))
	}
	return table
}

func TestAttacksAreTriedSeveralAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &besieged{}
		w := besiegedWorld(t, b)
		began := time.Now()
		require.NoError(t, w.attacksRefused(t.Context(), "c2", attackTable(slices.Repeat([]string{"/a"}, 3*atOnce)...)))
		assert.Equal(t, 3*time.Second, time.Since(began))
		assert.Equal(t, atOnce, b.most)
		assert.Equal(t, 6*atOnce, b.controls, "each has one right before and one right after")
		for i := range 3 * atOnce {
			assert.Contains(t, w.record[3*i], "/control", "the evidence is in the table's order")
			assert.Contains(t, w.record[3*i+1], fmt.Sprintf("attack %d ", i))
		}
	})
}

func TestEachHoleIsToldInTheTablesOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := besiegedWorld(t, &besieged{})
		err := w.attacksRefused(t.Context(), "c2", attackTable("/a", "/leak", "/b", "/leak"))
		require.ErrorContains(t, err, "attack 1 (a test): want denied by policy; got: ")
		require.ErrorContains(t, err, "it was refused, and yet ratings")
		assert.Less(t, strings.Index(err.Error(), "attack 1"), strings.Index(err.Error(), "attack 3"))
		assert.NotContains(t, err.Error(), "attack 0")
	})
}

func TestARowWhoseControlFailsProvesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := besiegedWorld(t, &besieged{dead: []int{2}})
		err := w.attacksRefused(t.Context(), "c2", attackTable("/a"))
		require.ErrorContains(t, err, "attack 0 (a test): the control failed right after")
	})
	w := besiegedWorld(t, &besieged{})
	w.control = nil
	require.ErrorIs(t, w.attacksRefused(t.Context(), "c2", attackTable("/a")), errNoControl)
}
