// Package control is how the harness talks to a lab that is up: one request a
// connection on a unix socket in the lab's private state directory.
//
// A request may carry a listening socket. Sockets belong to the network
// namespace they were made in, so the lab, which has no way to the host's
// network, can serve a host port that the harness made and handed over. The
// package must not know what a lab is made of.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Op is the closed set of requests.
type Op string

// The requests a lab answers.
const (
	// Forward serves the request's listener: each connection goes to Target
	// as seen from the lab's WAN.
	Forward Op = "forward"
	// Detach lets the lab outlive the process that made it.
	Detach Op = "detach"
	// Shutdown ends the lab.
	Shutdown Op = "shutdown"
)

// Request is what the harness asks.
type Request struct {
	Op     Op     `json:"op"`
	Target string `json:"target,omitempty"`
}

type response struct {
	Error string `json:"error,omitempty"`
}

// maxMessage bounds a request: they are a few words.
const maxMessage = 4096

// Handler carries a request out. The file is nil unless the request brought
// one; the handler owns it.
type Handler func(ctx context.Context, r Request, f *os.File) error

// Serve answers requests on l, a unixpacket socket, until ctx ends.
func Serve(ctx context.Context, l net.Listener, h Handler) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := accept(ctx, l)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("control socket: %w", err)
		}
		go serveOne(ctx, conn.(*net.UnixConn), h)
	}
}

func serveOne(ctx context.Context, conn *net.UnixConn, h Handler) {
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	var answer response
	req, file, err := receive(conn)
	if err == nil {
		err = h(ctx, req, file)
	}
	if err != nil {
		answer.Error = err.Error()
	}
	if b, err := json.Marshal(answer); err == nil {
		_, _ = conn.Write(b)
	}
}

func receive(conn *net.UnixConn) (Request, *os.File, error) {
	var req Request
	buf, oob := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := conn.ReadMsgUnix(buf, oob)
	if err != nil {
		return req, nil, fmt.Errorf("read request: %w", err)
	}
	file, err := passedFile(oob[:oobn])
	if err != nil {
		return req, nil, err
	}
	if err := json.Unmarshal(buf[:n], &req); err != nil {
		if file != nil {
			file.Close()
		}
		return req, nil, fmt.Errorf("request: %w", err)
	}
	return req, file, nil
}

func passedFile(oob []byte) (*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(msgs) != 1 {
		return nil, fmt.Errorf("passed file: %d messages, %w", len(msgs), err)
	}
	fds, err := unix.ParseUnixRights(&msgs[0])
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("passed file: %d descriptors, %w", len(fds), err)
	}
	unix.CloseOnExec(fds[0])
	return os.NewFile(uintptr(fds[0]), "passed"), nil
}

// Call sends one request to the lab at the socket and waits for its answer.
func Call(ctx context.Context, socket string, req Request, f *os.File) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unixpacket", socket)
	if err != nil {
		return fmt.Errorf("lab control: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	msg, err := json.Marshal(req)
	if err != nil {
		return fmt.Errorf("lab control: %w", err)
	}
	var rights []byte
	if f != nil {
		rights = unix.UnixRights(int(f.Fd()))
	}
	if _, _, err := conn.(*net.UnixConn).WriteMsgUnix(msg, rights, nil); err != nil {
		return fmt.Errorf("lab control: %s: %w", req.Op, err)
	}
	buf := make([]byte, maxMessage)
	n, err := conn.Read(buf)
	if err != nil {
		return fmt.Errorf("lab control: %s: no answer: %w", req.Op, err)
	}
	var answer response
	if err := json.Unmarshal(buf[:n], &answer); err != nil {
		return fmt.Errorf("lab control: %s: answer: %w", req.Op, err)
	}
	if answer.Error != "" {
		return fmt.Errorf("lab control: %s: %w", req.Op, errors.New(answer.Error))
	}
	return nil
}
