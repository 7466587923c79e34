package link

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFarLinkBreaksAndHealsByWords(t *testing.T) {
	upstream := echoServer(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listen := free.Addr().String()
	require.NoError(t, free.Close())
	r, err := Reach(t.Context(), func(ctx context.Context, in io.Reader, out io.Writer) error {
		return Serve(ctx, listen, upstream, in, out)
	})
	require.NoError(t, err)
	_, err = say(listen, time.Second)
	require.NoError(t, err)
	require.NoError(t, r.Break(Torn))
	_, err = say(listen, time.Second)
	require.Error(t, err)
	assert.ErrorContains(t, r.Break("haunted"), "haunted")
	require.NoError(t, r.Heal())
	_, err = say(listen, time.Second)
	require.NoError(t, err)
	r.Close()
	_, err = say(listen, time.Second)
	require.Error(t, err, "it is closed")
	assert.Error(t, r.Break(Cut))
}

func TestAFarLinkThatCannotBeOpenedSaysWhy(t *testing.T) {
	_, err := Reach(t.Context(), func(context.Context, io.Reader, io.Writer) error { return errors.New("no such pod") })
	assert.ErrorContains(t, err, "no such pod")
	_, err = Reach(t.Context(), func(ctx context.Context, in io.Reader, out io.Writer) error {
		return Serve(ctx, "256.0.0.1:1", "127.0.0.1:1", in, out)
	})
	assert.ErrorContains(t, err, "link to 127.0.0.1:1")
}
