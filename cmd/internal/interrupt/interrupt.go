// Package interrupt is what the commands have in common about being told to end:
// which signals say so, and what the second one does. It must not know what
// there is to be tidied up.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Context ends with the first interrupt, termination or hang-up. A second
// interrupt or termination ends the program at once. A second hang-up does
// nothing: one terminal that is closed sends two, by its shell and by the kernel,
// and the second would cut off what the first has begun. Whoever starts the
// program with hang-ups ignored, as nohup does, wants it to outlive its terminal.
// release gives the signals back.
func Context(parent context.Context) (ctx context.Context, release context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	release = stop
	if !signal.Ignored(syscall.SIGHUP) {
		var resume context.CancelFunc
		ctx, resume = signal.NotifyContext(ctx, syscall.SIGHUP)
		release = func() { resume(); stop() }
	}
	context.AfterFunc(ctx, stop)
	return ctx, release
}
