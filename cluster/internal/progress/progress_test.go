package progress_test

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/progress"
)

// buffer is a writer that tells when it was written to.
type buffer struct {
	mu  sync.Mutex
	b   bytes.Buffer
	hit chan struct{}
}

func newBuffer() *buffer { return &buffer{hit: make(chan struct{}, 100)} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.hit <- struct{}{}:
	default:
	}
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestPlainSaysWhatBeginsHowLongItShouldTakeAndHowItEnded(t *testing.T) {
	out := newBuffer()
	task := progress.Plain(out, time.Hour).Begin(progress.Step{Title: "building etcd", Estimate: 67 * time.Second})
	task.End(nil)
	assert.Regexp(t, `^building etcd, about 65 s\nbuilding etcd: done in \S+s\n$`, out.String())
}

func TestPlainSaysThatAStepFailed(t *testing.T) {
	out := newBuffer()
	progress.Plain(out, time.Hour).Begin(progress.Step{Title: "x"}).End(errors.New("boom"))
	assert.Regexp(t, `^x\nx: failed after \S+s\n$`, out.String())
}

func TestPlainShowsThatALongStepGoesOn(t *testing.T) {
	out := newBuffer()
	task := progress.Plain(out, time.Millisecond).Begin(progress.Step{Title: "building", Estimate: 5*time.Minute + 20*time.Second})
	task.Advance(3, 10)
	<-out.hit // the first line
	select {
	case <-out.hit:
	case <-time.After(5 * time.Second):
		require.Fail(t, "no second line within 5 s", "written: %q", out.String())
	}
	task.End(nil)
	assert.Contains(t, out.String(), ", about 5 min\n")
	assert.Contains(t, out.String(), "so far, 3 of 10")
}

func TestLiveEndsWithTheOutcomeOnALineOfItsOwn(t *testing.T) {
	out := newBuffer()
	r := progress.Live(out)
	task := r.Begin(progress.Step{Title: "building istio", Estimate: time.Minute})
	task.Advance(1, 3)
	r.Note("a note")
	task.Advance(3, 3)
	task.End(nil)
	assert.Contains(t, out.String(), "a note\n")
	assert.Regexp(t, `building istio: done in \S+s\n$`, out.String())
}

func TestAPipeGetsPlainLines(t *testing.T) {
	read, write, err := os.Pipe()
	require.NoError(t, err)
	progress.New(write).Note("hello")
	require.NoError(t, write.Close())
	var b bytes.Buffer
	_, err = b.ReadFrom(read)
	require.NoError(t, err)
	assert.Equal(t, "hello\n", b.String())
}

func TestSilentSaysNothing(t *testing.T) {
	task := progress.Silent().Begin(progress.Step{Title: "x"})
	task.Advance(1, 2)
	task.End(nil)
}
