package rawhttp

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzDo: whatever a server answers, reading ends, keeps no more than it was
// told to, and takes for an answer only what has a status.
func FuzzDo(f *testing.F) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", "HTTP/1.1 403 Forbidden\r\ncontent-length: 19\r\n\r\nRBAC: access denied",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 -1 x\r\n\r\n", "HTTP/1.0 200\n\n", "SSH-2.0\r\n",
	} {
		f.Add([]byte(text), "GET")
	}
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), "HEAD")
	const most = 64
	f.Fuzz(func(t *testing.T, answer []byte, method string) {
		client, server := net.Pipe()
		defer func() { _ = client.Close() }()
		require.NoError(t, client.SetDeadline(time.Now().Add(5*time.Second)))
		go func() {
			defer func() { _ = server.Close() }()
			// The request is as large as its bytes; what it says is not looked at.
			request := make([]byte, 64<<10)
			if _, err := server.Read(request); err == nil {
				_, _ = server.Write(answer)
			}
		}()
		a, err := NewConn(client, most).Do(Request{Method: method, Target: "/", Host: "h"})
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(a.Body), most)
		require.GreaterOrEqual(t, a.Status, 0)
	})
}
