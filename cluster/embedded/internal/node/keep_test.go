package node

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAProgramIsStartedAgainUnlessThatHasBeenInVainForLong(t *testing.T) {
	begin := time.Now()
	var r restarts
	assert.True(t, r.again(time.Millisecond, begin), "its first end")
	assert.True(t, r.again(time.Millisecond, begin.Add(restartLimit/2)))
	assert.False(t, r.again(time.Millisecond, begin.Add(restartLimit)))

	assert.True(t, r.again(steadyAfter, begin.Add(restartLimit)), "it had worked in between")
	assert.True(t, r.again(time.Millisecond, begin.Add(restartLimit+restartLimit/2)))
	assert.False(t, r.again(time.Millisecond, begin.Add(2*restartLimit)))
}
