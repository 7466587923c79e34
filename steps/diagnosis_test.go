package steps

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One request in three that ends elsewhere is no fault that is there.
func TestALayerIsNamedByAllRequestsOrByNone(t *testing.T) {
	for period, named := range map[int64]bool{0: true, 3: false} {
		synctest.Test(t, func(t *testing.T) {
			var asked atomic.Int64
			err := NewWorld(Environment{}).diagnosed(t.Context(), "it", string(LayerHandshake), "CERTIFICATE has expired", func(context.Context) (Diagnosis, error) {
				time.Sleep(time.Millisecond)
				if n := asked.Add(1); period > 0 && n%period == 0 {
					return Diagnosis{Layer: LayerNone, Story: "answered"}, nil
				}
				return Diagnosis{Layer: LayerHandshake, Story: "TLS_error: certificate HAS EXPIRED"}, nil
			})
			// The tries that were under way come to their end.
			time.Sleep(time.Second)
			if named {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, "named last: nothing: answered")
		})
	}
}
