//go:build !linux

package load

import "time"

func precisely(d time.Duration) { time.Sleep(d) }
