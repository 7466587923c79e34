package link

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func echo(t *testing.T) *Link {
	t.Helper()
	l, err := Open(echoServer(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	return l
}

func echoServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		}
	}()
	return listener.Addr().String()
}

// say asks for an echo on a connection of its own.
func say(address string, patience time.Duration) (took time.Duration, err error) {
	start := time.Now()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(start.Add(patience))
	if _, err := io.WriteString(conn, "x"); err != nil {
		return 0, err
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return time.Since(start), err
}

func TestALinkBreaksAndHeals(t *testing.T) {
	l := echo(t)
	_, err := say(l.Address(), time.Second)
	require.NoError(t, err)
	for trouble, works := range map[Trouble]bool{Cut: false, Torn: false, Slow: true} {
		require.NoError(t, l.Break(trouble))
		took, err := say(l.Address(), time.Second)
		assert.Equal(t, works, err == nil, "%s: %v", trouble, err)
		if works {
			assert.GreaterOrEqual(t, took, 2*slowByMillis*time.Millisecond)
		}
		l.Heal(t.Context())
		_, err = say(l.Address(), time.Second)
		require.NoError(t, err, "healed of %s", trouble)
	}
}

func TestTroubleThatIsNoneIsRefused(t *testing.T) {
	assert.ErrorContains(t, echo(t).Break("haunted"), "haunted")
}
