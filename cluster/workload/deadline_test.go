package workload

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestOnlyTheContextsOwnDeadlineCountsAsItsEnd(t *testing.T) {
	timeout := fmt.Errorf("write: %w", os.ErrDeadlineExceeded)
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	assert.True(t, endedByDeadline(soon, timeout))
	assert.Error(t, soon.Err(), "it has waited for the context")

	late, cancelLate := context.WithTimeout(t.Context(), time.Minute)
	defer cancelLate()
	assert.False(t, endedByDeadline(late, timeout), "the connection's own time-out is a fault of its own")
	assert.False(t, endedByDeadline(t.Context(), timeout), "no deadline")
	assert.False(t, endedByDeadline(soon, os.ErrClosed))
}
