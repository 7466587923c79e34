package cri

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/logfile"
)

// stalled is a client that reads nothing until the test's end.
type stalled struct{ end <-chan struct{} }

func (s stalled) Write([]byte) (int, error) {
	<-s.end
	return 0, io.ErrClosedPipe
}

// slow is a client that takes its time.
type slow struct{ text bytes.Buffer }

func (s *slow) Write(p []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return s.text.Write(p)
}

// outputOf is the output of a container whose stdout the test writes.
func outputOf(t *testing.T) (*output, *os.File) {
	t.Helper()
	o, err := newOutput("")
	require.NoError(t, err)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	o.follow(r, logfile.Stdout)
	return o, w
}

// soon runs f, which must return.
func soon(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { f(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal(what)
	}
}

// more is more than a pipe and a client's queue hold.
var more = bytes.Repeat([]byte("x"), 4<<20)

func after(d time.Duration) <-chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(d, func() { close(c) })
	return c
}

func TestAClientThatDoesNotReadDoesNotKeepADeadContainer(t *testing.T) {
	for name, text := range map[string][]byte{"a word": []byte("bye\n"), "more than is queued": more} {
		t.Run(name, func(t *testing.T) {
			o, w := outputOf(t)
			detach := o.attach(newAttachment(stalled{t.Context().Done()}, nil))
			go func() { _, _ = w.Write(text); w.Close() }()
			soon(t, "the container never ends", func() { o.finish(after(100 * time.Millisecond)) })
			soon(t, "the attach never ends", detach)
		})
	}
}

func TestAStalledClientThatGoesLetsTheContainerGoOn(t *testing.T) {
	o, w := outputOf(t)
	detach := o.attach(newAttachment(stalled{t.Context().Done()}, nil))
	written := make(chan struct{})
	go func() { _, _ = w.Write(more); w.Close(); close(written) }()
	select {
	case <-written:
		t.Fatal("a client that does not read held nothing up: the test's text is too short")
	case <-time.After(100 * time.Millisecond):
	}
	soon(t, "the attach never ends", detach)
	soon(t, "the container's write never ends", func() { <-written })
	soon(t, "the container never ends", func() { o.finish(nil) })
}

func TestAClientHasAllOfADeadContainersOutput(t *testing.T) {
	o, w := outputOf(t)
	var client slow
	defer o.attach(newAttachment(&client, nil))()
	go func() { _, _ = w.Write(more); w.Close() }()
	soon(t, "the container never ends", func() { o.finish(nil) })
	assert.Len(t, client.text.Bytes(), len(more))
}

func TestWhoAttachesToADeadContainerIsSentAway(t *testing.T) {
	o, w := outputOf(t)
	w.Close()
	o.finish(nil)
	a := newAttachment(io.Discard, nil)
	o.attach(a)()
	soon(t, "it waits for output", func() { <-a.gone })
}
