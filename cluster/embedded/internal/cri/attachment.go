package cri

import (
	"io"
	"sync"
)

// queued is how many reads of a stream may wait for a client.
const queued = 16

// attachment is one client of a container's output. It is written to by a
// goroutine of its own, so that one that does not read can be left behind. A
// writer that fails is dropped; nil is a stream that nobody asked for.
type attachment struct {
	out, err io.Writer

	queue chan chunk
	// gone is closed when the client is to get no more, delivered when nothing
	// is written to it any more.
	gone, delivered chan struct{}
	leaving         sync.Once
}

// chunk is what was read of a stream at once.
type chunk struct {
	to   io.Writer
	text []byte
}

func newAttachment(out, err io.Writer) *attachment {
	return &attachment{
		out: out, err: err, queue: make(chan chunk, queued),
		gone: make(chan struct{}), delivered: make(chan struct{}),
	}
}

// deliver writes what is queued until the queue is closed or the client is gone.
func (a *attachment) deliver() {
	defer close(a.delivered)
	defer a.leave()
	for {
		select {
		case c, more := <-a.queue:
			if !more {
				return
			}
			if _, err := c.to.Write(c.text); err != nil {
				return
			}
		case <-a.gone:
			return
		}
	}
}

// leave does not wait for a write that is under way.
func (a *attachment) leave() { a.leaving.Do(func() { close(a.gone) }) }

// flush waits until the client has all of the queue, or until giveUp. Nothing
// may be queued any more.
func (a *attachment) flush(giveUp <-chan struct{}) {
	close(a.queue)
	select {
	case <-a.delivered:
	case <-giveUp:
		a.leave()
	}
}
