package progress

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// plainEvery is how often a step that goes on says so: often enough that no CI
// takes silence for a hang.
const plainEvery = 30 * time.Second

// Plain writes whole lines to w: one when a step begins, one every now and
// then, one when it ends.
func Plain(w io.Writer, every time.Duration) Reporter { return &plain{w: w, every: every} }

type plain struct {
	mu    sync.Mutex
	w     io.Writer
	every time.Duration
}

func (p *plain) Note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	writeLine(p.w, text)
}

func (p *plain) Begin(s Step) Task {
	p.Note(withEstimate(s))
	t := &plainTask{to: p, step: s, began: time.Now(), over: make(chan struct{})}
	t.done.Go(t.sayNowAndThen)
	return t
}

type plainTask struct {
	to          *plain
	step        Step
	began       time.Time
	over        chan struct{}
	done        sync.WaitGroup
	mu          sync.Mutex
	units, full int
}

func (t *plainTask) Advance(done, total int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.units, t.full = done, total
}

func (t *plainTask) End(err error) {
	close(t.over)
	t.done.Wait()
	t.to.Note(outcome(t.step, time.Since(t.began), err))
}

func (t *plainTask) sayNowAndThen() {
	tick := time.NewTicker(t.to.every)
	defer tick.Stop()
	for {
		select {
		case <-t.over:
			return
		case <-tick.C:
			t.to.Note(t.line())
		}
	}
}

func (t *plainTask) line() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf("%s: %s so far", t.step.Title, time.Since(t.began).Round(time.Second))
	if t.full > 0 {
		text += fmt.Sprintf(", %d of %d", t.units, t.full)
	}
	return text
}
