// Package event is what the lab's processes tell the harness while they start:
// one JSON object a line, over a pipe that each inherits.
//
// It carries facts, not text for people; it must not know who shows them.
package event

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Kind is the closed set of events.
type Kind string

// The kinds of events.
const (
	// Step says that a named part is up.
	Step Kind = "step"
	// Ready is the sender's last good event.
	Ready Kind = "ready"
	// Failed is the sender's last bad event; Text says why.
	Failed Kind = "failed"
)

// Event is one line.
type Event struct {
	Kind Kind `json:"kind"`
	// Cluster is empty for the lab itself.
	Cluster string `json:"cluster,omitempty"`
	Text    string `json:"text,omitempty"`
	// After is the time since the sender's start.
	After time.Duration `json:"after"`
}

// Sender writes events; safe for concurrent use.
type Sender struct {
	mu      sync.Mutex
	w       io.Writer
	cluster string
	start   time.Time
}

// NewSender sends to w in the name of a cluster.
func NewSender(w io.Writer, cluster string) *Sender {
	return &Sender{w: w, cluster: cluster, start: time.Now()}
}

// Send writes one event. Errors are dropped: the reader may rightly be gone
// once the lab stands, and a lab outlives its maker.
func (s *Sender) Send(k Kind, format string, args ...any) {
	s.Forward(Event{Kind: k, Cluster: s.cluster, Text: fmt.Sprintf(format, args...), After: time.Since(s.start)})
}

// Forward writes another sender's event as it is.
func (s *Sender) Forward(e Event) {
	line, err := json.Marshal(e)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.w.Write(append(line, '\n'))
}

// Read calls f for each event until r ends; a line that is no event ends it
// with an error.
func Read(r io.Reader, f func(Event)) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var e Event
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			return fmt.Errorf("lab event %.200q: %w", sc.Text(), err)
		}
		f(e)
	}
	return sc.Err()
}
