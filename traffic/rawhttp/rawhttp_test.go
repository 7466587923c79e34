package rawhttp

import (
	"bufio"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// answering is a server that reads one request head and answers with text. It
// returns the connection to it and the head it got.
func answering(t *testing.T, text string) (net.Conn, <-chan string) {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	head := make(chan string, 1)
	go func() {
		defer func() { _ = server.Close() }()
		var b strings.Builder
		r := bufio.NewReader(server)
		for !strings.HasSuffix(b.String(), "\r\n\r\n") {
			line, err := r.ReadString('\n')
			if err != nil {
				break
			}
			b.WriteString(line)
		}
		head <- b.String()
		_, _ = server.Write([]byte(text))
	}()
	return client, head
}

func TestTargetsAreWrittenAsTheyStand(t *testing.T) {
	for _, target := range []string{
		"/public#/../admin", "//admin", "/x/..%2fadmin", `\admin`, "/%5cadmin", "/./admin", "/a b", "/%00", "/\x01",
		"/\xff", "/%252e%252e", "/..;/", "http://other/admin", "*", "/" + strings.Repeat("a", 64<<10),
	} {
		conn, head := answering(t, "HTTP/1.1 204 No Content\r\n\r\n")
		a, err := NewConn(conn, 10).Do(Request{Method: "GET", Target: target, Host: "h"})
		require.NoError(t, err)
		require.Equal(t, 204, a.Status)
		require.Equal(t, "GET "+target+" HTTP/1.1\r\nHost: h\r\n\r\n", <-head)
	}
}

func TestHeadersKeepOrderCaseAndRepetition(t *testing.T) {
	r := Request{
		Method: "POST", Target: "/", Host: "h", Body: []byte("hi"), Close: true,
		Header: []Field{{"x-Role", "guest"}, {"X-ROLE", "admin"}, {"host", "other"}, {"x-role", ""}},
	}
	require.Equal(t, "POST / HTTP/1.1\r\nHost: h\r\nx-Role: guest\r\nX-ROLE: admin\r\nhost: other\r\nx-role: \r\n"+
		"Content-Length: 2\r\nConnection: close\r\n\r\nhi", string(r.Bytes()))
	require.Equal(t, "GET / HTTP/1.1\r\n\r\n", string(Request{Method: "GET", Target: "/"}.Bytes()), "no host, no Host line")
}

func TestBodiesAreCutAtTheLimitAndTheConnectionStaysUsable(t *testing.T) {
	conn, _ := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"+strings.Repeat("x", 20))
	a, err := NewConn(conn, 8).Do(Request{Method: "GET", Target: "/", Host: "h"})
	require.NoError(t, err)
	require.Equal(t, "xxxxxxxx", string(a.Body))
	require.True(t, a.Reusable)
}

func TestConnectionCloseIsNotReused(t *testing.T) {
	conn, _ := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	a, err := NewConn(conn, 8).Do(Request{Method: "GET", Target: "/", Host: "h"})
	require.NoError(t, err)
	require.False(t, a.Reusable)
}

func TestSilenceGarbageAndHalfAnswersAreErrors(t *testing.T) {
	for name, text := range map[string]string{
		"closed without a byte": "",
		"not HTTP":              "SSH-2.0-x\r\n\r\n",
		"half a head":           "HTTP/1.1 200 OK\r\nContent-",
		"half a body":           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
	} {
		t.Run(name, func(t *testing.T) {
			conn, _ := answering(t, text)
			_, err := NewConn(conn, 100).Do(Request{Method: "GET", Target: "/", Host: "h"})
			require.Error(t, err)
		})
	}
}
