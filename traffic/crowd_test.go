package traffic

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hall takes connections; it keeps or ends each of them.
func hall(t *testing.T, keep bool) (address string, arrived *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	arrived = &atomic.Int64{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			arrived.Add(1)
			if !keep {
				_ = conn.Close()
				continue
			}
			go func() { _, _ = io.Copy(io.Discard, conn) }()
		}
	}()
	return listener.Addr().String(), arrived
}

func TestACrowdIsAsLargeAsItSays(t *testing.T) {
	address, arrived := hall(t, true)
	crowd, err := Edge{Address: address}.Gather(t.Context(), 50, Silent)
	require.NoError(t, err)
	assert.Equal(t, 50, crowd.Open())
	assert.Eventually(t, func() bool { return arrived.Load() == 50 }, time.Second, time.Millisecond)
	crowd.Close()
	assert.Zero(t, crowd.Open())
}

func TestACrowdSeesWhoWasShownOut(t *testing.T) {
	address, _ := hall(t, false)
	crowd, err := Edge{Address: address}.Gather(t.Context(), 20, Silent)
	require.NoError(t, err)
	defer crowd.Close()
	assert.Eventually(t, func() bool { return crowd.Open() == 0 }, time.Second, time.Millisecond)
}

func TestNoCrowdIsSmallerThanItSays(t *testing.T) {
	_, err := Edge{Address: "127.0.0.1:1"}.Gather(t.Context(), 5, Silent)
	assert.ErrorContains(t, err, "after 0")
	address, _ := hall(t, false)
	_, err = Edge{Address: address, Server: Server{DNS: "c2"}}.Gather(t.Context(), 5, Idle)
	assert.Error(t, err, "nobody who shakes hands")
}
