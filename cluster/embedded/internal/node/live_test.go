package node

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAFailureSaysOfWhichCluster(t *testing.T) {
	n := &node{Config: Config{Name: "c2"}}
	err := n.live(t.Context(), func(context.Context, context.Context) error { return errors.New("etcd ended: exit status 1") })
	assert.EqualError(t, err, "cluster c2: etcd ended: exit status 1")
}

func TestAProgramsEndEndsTheStart(t *testing.T) {
	n := &node{Config: Config{Name: "c2"}}
	err := n.live(t.Context(), func(_, begin context.Context) error {
		n.group.Go(func() error { return errors.New("kubelet ended: exit status 1") })
		<-begin.Done()
		return context.Cause(begin)
	})
	assert.EqualError(t, err, "cluster c2: kubelet ended: exit status 1")
}

func TestAnOrderToEndIsNoFailureOfTheCluster(t *testing.T) {
	n := &node{Config: Config{Name: "c2"}}
	ctx, cancel := context.WithCancel(t.Context())
	err := n.live(ctx, func(life, _ context.Context) error {
		cancel()
		<-life.Done()
		return context.Cause(life)
	})
	assert.Equal(t, context.Canceled, err)
}
