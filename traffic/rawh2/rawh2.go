// Package rawh2 sends HTTP/2 frame by frame, in ways that a client library
// never would: floods, heads that a server must not take, two hosts on one
// connection. It reads what ends the connection or the stream. It knows
// nothing of TLS and judges nothing.
package rawh2

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Field is one field of a head, written as it stands.
type Field struct{ Name, Value string }

// Request is what an abuse is made around.
type Request struct {
	Method, Target, Host string
	Header               []Field
	// First is the other host of HostBesideIt and SecondHost.
	First string
	// Mark follows the header on the one stream whose answer counts.
	Mark []Field
}

// Answer is what became of it. The zero value of an end means that there was
// none of that kind.
type Answer struct {
	// Status, Header and Body are those of the marked stream.
	Status int
	Header http.Header
	Body   []byte
	// Ended is the frame that ended the connection or the marked stream:
	// "GOAWAY PROTOCOL_ERROR", "RST_STREAM PROTOCOL_ERROR".
	Ended string
	// Sent is how many frames were written before the end.
	Sent int
}

// Do speaks one abuse on a connection that nothing was said on yet, and
// returns when the other side has answered or ended it. A deadline is the
// caller's, on the connection; what ends the connection without a word is the
// error.
func Do(conn net.Conn, a Abuse, r Request, maxBody int) (Answer, error) {
	script, known := scripts()[a]
	if !known {
		return Answer{}, fmt.Errorf("an abuse %q: want one of %q", a, Abuses())
	}
	s := newSpeaker(conn, maxBody)
	if err := s.greet(); err != nil {
		return Answer{}, err
	}
	heard := make(chan error, 1)
	listen := func() { heard <- s.listen() }
	if !a.deaf() {
		go listen()
	}
	writing := script(s, r)
	if a.deaf() {
		go listen()
	}
	// What stops the writing is worth less than what the other side has said
	// before it did: that is still to be read.
	err := <-heard
	answer := s.result()
	if answer.Ended != "" || answer.Status != 0 {
		return answer, nil
	}
	return answer, errors.Join(err, writing)
}

// speaker writes frames on one goroutine and hears on another.
type speaker struct {
	conn    net.Conn
	framer  *http2.Framer
	head    bytes.Buffer
	encoder *hpack.Encoder
	maxBody int

	mu     sync.Mutex
	marked uint32
	answer Answer
	over   bool
}

func newSpeaker(conn net.Conn, maxBody int) *speaker {
	s := &speaker{conn: conn, framer: http2.NewFramer(conn, conn), maxBody: maxBody}
	s.framer.AllowIllegalWrites = true
	s.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	s.encoder = hpack.NewEncoder(&s.head)
	return s
}

// window is large, so that answers never wait for us.
const window = 1 << 24

func (s *speaker) greet() error {
	if _, err := io.WriteString(s.conn, http2.ClientPreface); err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	if err := s.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}); err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	return nil
}

// listen reads until the marked stream is answered or ended, or the connection
// is. Settings and pings go unanswered: nobody here waits for more than that.
func (s *speaker) listen() error {
	for {
		frame, err := s.framer.ReadFrame()
		if err != nil {
			return fmt.Errorf("read a frame: %w", err)
		}
		if s.hear(frame) {
			return nil
		}
	}
}

func (s *speaker) hear(frame http2.Frame) (over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.over = s.over || over }()
	ours := s.marked != 0 && frame.Header().StreamID == s.marked
	switch f := frame.(type) {
	case *http2.GoAwayFrame:
		// One without an error only says that there will be an end.
		if f.ErrCode != http2.ErrCodeNo {
			s.answer.Ended = "GOAWAY " + f.ErrCode.String()
			return true
		}
	case *http2.RSTStreamFrame:
		if ours && s.answer.Status == 0 {
			s.answer.Ended = "RST_STREAM " + f.ErrCode.String()
		}
		return ours
	case *http2.MetaHeadersFrame:
		if ours {
			s.keep(f)
		}
		return ours && f.StreamEnded()
	case *http2.DataFrame:
		if ours && len(s.answer.Body) < s.maxBody {
			s.answer.Body = append(s.answer.Body, f.Data()...)
		}
		return ours && f.StreamEnded()
	}
	return false
}

func (s *speaker) keep(f *http2.MetaHeadersFrame) {
	if status := f.PseudoValue("status"); status != "" && s.answer.Status == 0 {
		_, _ = fmt.Sscan(status, &s.answer.Status)
		s.answer.Header = http.Header{}
	}
	for _, field := range f.RegularFields() {
		s.answer.Header.Add(field.Name, field.Value)
	}
}

func (s *speaker) result() Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answer
}

// ended says whether there is any use in writing on.
func (s *speaker) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

func (s *speaker) sent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer.Sent++
}

// mark makes a stream the one whose answer counts.
func (s *speaker) mark(stream uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marked = stream
}

// block encodes fields, whatever they hold.
func (s *speaker) block(fields []Field) []byte {
	s.head.Reset()
	for _, f := range fields {
		_ = s.encoder.WriteField(hpack.HeaderField{Name: f.Name, Value: f.Value})
	}
	return bytes.Clone(s.head.Bytes())
}
