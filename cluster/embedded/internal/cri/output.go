package cri

import (
	"errors"
	"fmt"
	"io"
	"os"
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
}

// attachment is one listener. A writer that fails is dropped.
type attachment struct{ out, err io.Writer }

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

func (o *output) broadcast(p []byte, stream logfile.Stream) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for a := range o.attached {
		w := a.out
		if stream == logfile.Stderr {
			w = a.err
		}
		if w == nil || len(p) == 0 {
			continue
		}
		if _, err := w.Write(p); err != nil {
			delete(o.attached, a)
		}
	}
}

func (o *output) attach(a *attachment) (detach func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attached[a] = true
	return func() {
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

// finish waits for the streams' ends and closes everything. Giving up early
// makes the copies end: a process that left the container's namespaces could
// hold a pipe for ever.
func (o *output) finish(giveUp <-chan struct{}) {
	ended := make(chan struct{})
	go func() { o.copies.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-giveUp:
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
