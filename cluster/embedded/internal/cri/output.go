package cri

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/logfile"
)

// output is where a container's streams go: its log, and whoever is attached.
type output struct {
	log *logfile.File
	// console is the terminal's master end, or nil.
	console *os.File
	// stdin feeds the container, or is nil.
	stdin  *os.File
	reads  []*os.File
	copies sync.WaitGroup

	mu       sync.Mutex
	attached map[*attachment]bool
	// finished says that nobody is attached any more, nor will be.
	finished bool
}

func newOutput(logPath string) (*output, error) {
	o := &output{attached: map[*attachment]bool{}}
	if logPath == "" {
		return o, nil
	}
	log, err := logfile.Open(logPath)
	o.log = log
	return o, err
}

// follow copies a stream until its last writer is gone.
func (o *output) follow(r *os.File, stream logfile.Stream) {
	o.reads = append(o.reads, r)
	var log io.WriteCloser
	if o.log != nil {
		log = o.log.Writer(stream)
	}
	o.copies.Add(1)
	go func() {
		defer o.copies.Done()
		buf := make([]byte, 32<<10)
		for {
			n, err := r.Read(buf)
			if log != nil && n > 0 {
				// A full disk must not stop the container.
				_, _ = log.Write(buf[:n])
			}
			o.broadcast(buf[:n], stream)
			if err != nil {
				break
			}
		}
		if log != nil {
			_ = log.Close()
		}
	}()
}

// broadcast gives p to each client. As at a terminal, one that does not read
// holds the container up, until it goes or the container has ended.
func (o *output) broadcast(p []byte, stream logfile.Stream) {
	if len(p) == 0 {
		return
	}
	for _, a := range o.clients() {
		w := a.out
		if stream == logfile.Stderr {
			w = a.err
		}
		if w == nil {
			continue
		}
		select {
		case a.queue <- chunk{to: w, text: bytes.Clone(p)}:
		case <-a.gone:
		}
	}
}

// clients are who is attached now. Nothing waits for a client with mu held.
func (o *output) clients() []*attachment {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Keys(o.attached))
}

func (o *output) attach(a *attachment) (detach func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.finished {
		a.leave()
		return func() {}
	}
	o.attached[a] = true
	go a.deliver()
	return func() {
		a.leave()
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.attached, a)
	}
}

// input is where an attached client's keystrokes go.
func (o *output) input() io.Writer {
	switch {
	case o.console != nil:
		return o.console
	case o.stdin != nil:
		return o.stdin
	}
	return nil
}

func (o *output) reopen() error {
	if o.log == nil {
		return errors.New("reopen log: the container has none")
	}
	if err := o.log.Reopen(); err != nil {
		return fmt.Errorf("reopen log: %w", err)
	}
	return nil
}

// finish waits for the streams' ends, and for the clients to have what came of
// them, and closes everything. Giving up makes both end: a process that left the
// container's namespaces could hold a pipe for ever, and so could a client that
// does not read.
func (o *output) finish(giveUp <-chan struct{}) {
	ended := make(chan struct{})
	go func() { o.copies.Wait(); close(ended) }()
	select {
	case <-ended:
		for _, a := range o.lastClients() {
			a.flush(giveUp)
		}
	case <-giveUp:
		for _, a := range o.lastClients() {
			a.leave()
		}
	}
	for _, f := range o.reads {
		_ = f.Close()
	}
	<-ended
	if o.stdin != nil {
		_ = o.stdin.Close()
	}
	if o.log != nil {
		_ = o.log.Close()
	}
}

// lastClients are who is attached, after whom nobody will be.
func (o *output) lastClients() []*attachment {
	o.mu.Lock()
	o.finished = true
	o.mu.Unlock()
	return o.clients()
}
