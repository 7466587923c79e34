package traffic

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/fixtures/pki"
	"github.com/meshfed/meshfed/traffic/rawh2"
)

// answers are what a server says to a flood before it has had enough: many times
// what the buffer of whoever does not read holds.
const answers = 600 << 10

// cutsShort is a server that reads what it is sent, answers while nobody reads,
// and then ends the connection.
func cutsShort(t *testing.T, config *tls.Config) (address string, ended <-chan time.Time) {
	t.Helper()
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	done := make(chan time.Time, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		_ = conn.(*tls.Conn).Handshake()
		// PING with ACK, as RFC 9113, 6.7 has it.
		ack := append([]byte{0, 0, 8, 6, 1, 0, 0, 0, 0}, make([]byte, 8)...)
		for range answers / (1000 * len(ack)) {
			var many []byte
			for range 1000 {
				many = append(many, ack...)
			}
			_, _ = conn.Write(many)
		}
		_ = conn.(*tls.Conn).NetConn().(*net.TCPConn).CloseWrite()
		done <- time.Now()
	}()
	return listener.Addr().String(), done
}

// A relay or a gateway that has answered a deaf client probes its closed window,
// more and more seldom. Once the client hears, it must not have to wait for that.
func TestTheEndOfAConnectionIsHeardAtOnceAfterAFlood(t *testing.T) {
	g := newGateway(t, 0, pki.Ingress("c2"))
	identity := certificate(t, g.authority, pki.Egress("c1"))
	for range 5 {
		address, ended := cutsShort(t, g.config)
		edge := g.client(identity)
		edge.Address, edge.Timeout = address, 3*time.Second
		o, err := edge.Abuse(t.Context(), rawh2.PingFlood, Call{Target: "/"}, "")
		heard := time.Now()
		require.NoError(t, err)
		assert.Equal(t, Reset, o.Kind, o)
		assert.Less(t, heard.Sub(<-ended), time.Second)
	}
}
