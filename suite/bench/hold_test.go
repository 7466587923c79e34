package bench_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/suite/bench"
)

// named is a lab that has nothing but a name.
type named struct {
	cluster.Lab
	name string
}

func (n named) Name() string     { return n.name }
func (n named) Provider() string { return "test" }

func TestOneRunAtATimeUsesALab(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	first, err := bench.Take(named{name: "a"})
	require.NoError(t, err)
	_, err = bench.Take(named{name: "a"})
	require.ErrorIs(t, err, bench.ErrBusy)
	assert.Contains(t, err.Error(), "process ")
	other, err := bench.Take(named{name: "b"})
	require.NoError(t, err, "another lab is free")
	require.NoError(t, other.Release())
	require.NoError(t, first.Release())
	again, err := bench.Take(named{name: "a"})
	require.NoError(t, err)
	require.NoError(t, again.Release())
}

// sharing is a lab of clusters that may be in other labs too.
type sharing struct {
	named
	places []string
}

func (sharing) Owner() string      { return "somebody" }
func (s sharing) Places() []string { return s.places }

func TestOneRunAtATimeUsesAClusterWhateverElseIsInItsLab(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	first, err := bench.Take(sharing{named{name: "x"}, []string{"A", "B"}})
	require.NoError(t, err)
	for _, places := range [][]string{{"A", "B"}, {"B", "A"}, {"B", "C"}, {"A"}} {
		_, err = bench.Take(sharing{named{name: "y"}, places})
		require.ErrorIs(t, err, bench.ErrBusy, places)
	}
	other, err := bench.Take(sharing{named{name: "z"}, []string{"C"}})
	require.NoError(t, err, "what one that failed has held is free")
	require.NoError(t, other.Release())
	require.NoError(t, first.Release())
	again, err := bench.Take(sharing{named{name: "y"}, []string{"B", "A"}})
	require.NoError(t, err)
	require.NoError(t, again.Release())
}

func TestAwaitGetsTheLabWhenItIsFreeAndNoLater(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	first, err := bench.Take(named{name: "a"})
	require.NoError(t, err)
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = bench.Await(short, named{name: "a"})
	require.ErrorIs(t, err, bench.ErrBusy)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	time.AfterFunc(5*time.Millisecond, func() { _ = first.Release() })
	second, err := bench.Await(t.Context(), named{name: "a"})
	require.NoError(t, err)
	require.NoError(t, second.Release())
}
