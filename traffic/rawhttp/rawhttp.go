// Package rawhttp sends HTTP/1.1 requests exactly as they are given and reads
// the answers. net/http would clean, escape or refuse the very paths, hosts
// and headers that an attacker would send ("/public#/../admin", "//admin",
// "%00"), so that a test built on it would pass because the attack was never
// made. It knows nothing of TLS and judges nothing.
package rawhttp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
)

// Field is one header line.
type Field struct{ Name, Value string }

// Request is what to write. Nothing is checked: bytes that are not allowed in
// HTTP are written as well.
type Request struct {
	Method string
	// Target is the request target, as it shall stand in the request line.
	Target string
	// Host makes the Host line. If it is empty there is none.
	Host string
	// Header holds the further lines, in order.
	Header []Field
	Body   []byte
	// Tail is written after all else as it stands: a body whose length the
	// Header lies about, or another request in disguise.
	Tail []byte
	// Close asks the other side to close the connection after its answer.
	Close bool
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	// Body holds the first MaxBody bytes of the body.
	Body []byte
	// Reusable says whether another request can follow on the connection.
	Reusable bool
}

// Bytes is the request as written on the wire.
func (r Request) Bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", r.Method, r.Target)
	if r.Host != "" {
		fmt.Fprintf(&b, "Host: %s\r\n", r.Host)
	}
	for _, f := range r.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
	}
	if len(r.Body) > 0 {
		b.WriteString("Content-Length: " + strconv.Itoa(len(r.Body)) + "\r\n")
	}
	if r.Close {
		b.WriteString("Connection: close\r\n")
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	b.Write(r.Tail)
	return b.Bytes()
}

// Conn is a connection on which requests follow one another. It is not safe
// for concurrent use. Deadlines are the caller's, on the net.Conn.
type Conn struct {
	net.Conn
	reader  *bufio.Reader
	maxBody int64
}

// NewConn makes a Conn that keeps at most maxBody bytes of each body.
func NewConn(c net.Conn, maxBody int64) *Conn {
	return &Conn{Conn: c, reader: bufio.NewReader(c), maxBody: maxBody}
}

// Do writes the request and reads the answer.
//
// A failed write does not end it: a server that refuses (a TLS 1.3 client
// certificate, a header too large) has said why before it closed, and that
// word can still be read. The write's error counts only if nothing can.
func (c *Conn) Do(r Request) (Answer, error) {
	_, writeErr := c.Write(r.Bytes())
	resp, err := http.ReadResponse(c.reader, &http.Request{Method: r.Method})
	if err != nil {
		if writeErr != nil && errors.Is(err, io.ErrUnexpectedEOF) {
			err = writeErr
		}
		return Answer{}, fmt.Errorf("read answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.maxBody))
	if err != nil {
		return Answer{}, fmt.Errorf("status %d, then read body: %w", resp.StatusCode, err)
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return Answer{
		Status: resp.StatusCode, Header: resp.Header, Body: body,
		Reusable: writeErr == nil && err == nil && rest < 1<<20 && !resp.Close && !r.Close,
	}, nil
}
