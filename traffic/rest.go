package traffic

import (
	"context"
	"time"
)

// Rest lets some time pass between two looks at what cannot be watched. It is
// false, at once, when ctx ends first.
func Rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
