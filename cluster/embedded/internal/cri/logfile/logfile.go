// Package logfile writes container output in the log format of the Container
// Runtime Interface, which kubelet reads back: one entry a line, made of time,
// stream, tag and text. It must not know containers or how they are run.
package logfile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Stream is where an entry came from.
type Stream string

// The streams of the format.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
)

// maxLine is the longest text of an entry, in bytes; a longer line becomes
// several, all but its end tagged P. It is containerd's and CRI-O's number.
const maxLine = 16 * 1024

// File is the log of one container. It is safe for concurrent use.
type File struct {
	path string

	mu sync.Mutex
	f  *os.File
}

// Open opens the log for appending, and makes it and its directory if absent.
func Open(path string) (*File, error) {
	l := &File{path: path}
	if err := l.Reopen(); err != nil {
		return nil, err
	}
	return l, nil
}

// Reopen goes on in a new file at the same path, after a rotation moved the old
// one away.
func (l *File) Reopen() error {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o755); err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.f
	l.f = f
	if old != nil {
		return old.Close()
	}
	return nil
}

// Close ends the log; later writes fail.
func (l *File) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Close()
}

func (l *File) write(entries []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.f.Write(entries); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// Writer turns a container's output stream into log entries. It belongs to one
// goroutine.
type Writer struct {
	file   *File
	stream Stream
	now    func() time.Time
	rest   []byte
}

// Writer is a new writer of that stream.
func (l *File) Writer(s Stream) *Writer {
	return &Writer{file: l, stream: s, now: time.Now}
}

var _ io.WriteCloser = (*Writer)(nil)

// Write logs every line that p completes, in one write to the file, so that a
// burst of lines costs one system call.
func (w *Writer) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	var entries bytes.Buffer
	at := w.now()
	for {
		end := bytes.IndexByte(w.rest, '\n')
		switch {
		case end >= 0 && end <= maxLine:
			w.entry(&entries, at, "F", w.rest[:end])
			w.rest = w.rest[end+1:]
		case len(w.rest) > maxLine:
			w.entry(&entries, at, "P", w.rest[:maxLine])
			w.rest = w.rest[maxLine:]
		default:
			w.rest = append([]byte(nil), w.rest...)
			return len(p), w.flush(&entries)
		}
	}
}

// Close logs what came after the last line break, as a line of its own. It
// leaves the file open.
func (w *Writer) Close() error {
	if len(w.rest) == 0 {
		return nil
	}
	var entries bytes.Buffer
	w.entry(&entries, w.now(), "F", w.rest)
	w.rest = nil
	return w.flush(&entries)
}

func (w *Writer) entry(b *bytes.Buffer, at time.Time, tag string, text []byte) {
	b.WriteString(at.Format(time.RFC3339Nano))
	b.WriteByte(' ')
	b.WriteString(string(w.stream))
	b.WriteByte(' ')
	b.WriteString(tag)
	b.WriteByte(' ')
	b.Write(text)
	b.WriteByte('\n')
}

func (w *Writer) flush(b *bytes.Buffer) error {
	if b.Len() == 0 {
		return nil
	}
	return w.file.write(b.Bytes())
}
