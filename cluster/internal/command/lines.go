package command

import (
	"bytes"
	"strings"
	"sync"
)

// lineWriter cuts a stream into lines. A last line without an end comes out by
// flush.
type lineWriter struct {
	mu   sync.Mutex
	rest []byte
	each func(string)
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		w.each(strings.TrimRight(string(w.rest[:i]), "\r"))
		w.rest = w.rest[i+1:]
	}
}

func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.each(string(w.rest))
		w.rest = nil
	}
}

// tail keeps the last lines of many.
type tail struct {
	keep  int
	lines []string
}

func (t *tail) add(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	t.lines = append(t.lines, s)
	if len(t.lines) > t.keep {
		t.lines = t.lines[1:]
	}
}

func (t *tail) addAll(text string) {
	for _, s := range strings.Split(text, "\n") {
		t.add(s)
	}
}
