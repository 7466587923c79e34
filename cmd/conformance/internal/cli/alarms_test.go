package cli

import (
	"testing"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/assert"
)

func TestHowBusyTheCoresWereIsWhatTheySayOfThemselves(t *testing.T) {
	before := procfs.CPUStat{User: 100, System: 50, Idle: 1000, Iowait: 10, Steal: 1}
	for name, c := range map[string]struct {
		before, after procfs.CPUStat
		want          float64
	}{
		"all the time":                       {before, procfs.CPUStat{User: 150, System: 100, Idle: 1000, Iowait: 10, Steal: 1}, 1},
		"never":                              {before, procfs.CPUStat{User: 100, System: 50, Idle: 1100, Iowait: 10, Steal: 1}, 0},
		"a disk is no core":                  {before, procfs.CPUStat{User: 150, System: 50, Idle: 1000, Iowait: 60, Steal: 1}, 0.5},
		"what another machine takes is gone": {before, procfs.CPUStat{User: 125, System: 50, Idle: 1050, Iowait: 10, Steal: 26}, 0.5},
		"a system that does not say":         {procfs.CPUStat{}, procfs.CPUStat{}, 0},
		"one that begins to say":             {procfs.CPUStat{}, before, 0},
		"no time":                            {before, before, 0},
	} {
		t.Run(name, func(t *testing.T) {
			assert.InDelta(t, c.want, busyShare(c.before, c.after), 1e-9)
		})
	}
}
