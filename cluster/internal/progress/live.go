package progress

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// liveEvery is how often the live line's clock moves.
const liveEvery = time.Second

// Live keeps one moving line per step on a terminal and replaces it by its
// outcome when the step ends. Steps that run at the same time share the line,
// the last one to move being shown.
func Live(w io.Writer) Reporter { return &live{w: w} }

type live struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *live) Note(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	writeLine(l.w, "\r\x1b[K"+text)
}

func (l *live) Begin(s Step) Task {
	t := &liveTask{to: l, step: s, began: time.Now(), over: make(chan struct{})}
	t.bar = t.newBar(-1)
	t.done.Go(t.move)
	return t
}

type liveTask struct {
	to    *live
	step  Step
	began time.Time
	over  chan struct{}
	done  sync.WaitGroup
	bar   *progressbar.ProgressBar
	total int
}

// newBar makes a spinner for a total that is not known (-1), else a bar.
func (t *liveTask) newBar(total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(t.to.w),
		progressbar.OptionSetDescription(t.description()),
		progressbar.OptionSetWidth(20),
		progressbar.OptionSetElapsedTime(false), // it would restart with each bar
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}

func (t *liveTask) description() string {
	return withEstimate(t.step) + " " + time.Since(t.began).Round(time.Second).String()
}

func (t *liveTask) Advance(done, total int) {
	t.to.mu.Lock()
	defer t.to.mu.Unlock()
	if total > 0 && total != t.total {
		t.total = total
		_ = t.bar.Clear()
		t.bar = t.newBar(total)
	}
	if total > 0 {
		_ = t.bar.Set(min(done, total-1)) // a full bar finishes itself; End does that
	}
}

func (t *liveTask) End(err error) {
	close(t.over)
	t.done.Wait()
	t.to.mu.Lock()
	_ = t.bar.Clear()
	_ = t.bar.Exit()
	t.to.mu.Unlock()
	t.to.Note(outcome(t.step, time.Since(t.began), err))
}

// move keeps the clock of the line going while nothing advances.
func (t *liveTask) move() {
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	for {
		select {
		case <-t.over:
			return
		case <-tick.C:
			t.to.mu.Lock()
			t.bar.Describe(t.description())
			t.to.mu.Unlock()
		}
	}
}
