package admit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/admit"
)

// A peer that goes is withdrawn from a thousand exposures in the time that it takes to
// look at them a few times, not a thousand times: meanwhile it is still let in.
func TestAPeerThatGoesIsOutOfManyExposuresAtOnce(t *testing.T) {
	held := seed(t)
	one := held.Exposures[0]
	held.Exposures = nil
	for n := range 1000 {
		one.Name, one.Spec.Path = fmt.Sprintf("e%d", n), fmt.Sprintf("/e%d/", n)
		held.Exposures = append(held.Exposures, one)
	}
	wish := held
	wish.Peers = wish.Peers[:1]
	const looks = 50
	quick := false
	for range 5 { // a busy machine may be in the way of one try
		start := time.Now()
		require.NoError(t, api.Validate(held))
		look := time.Since(start)
		got, err := admit.Decide(admit.Input{Wish: wish, Held: held})
		require.NoError(t, err)
		assert.Len(t, got.Spec.Exposures, len(held.Exposures))
		for _, e := range got.Spec.Exposures {
			require.Equal(t, admit.FormPart, got.Rulings[e.Key()].Form)
			require.Len(t, e.Spec.Consumers, 1)
		}
		if quick = time.Since(start) < looks*look; quick {
			break
		}
	}
	assert.True(t, quick, "it takes more than %d looks at all of them", looks)
}
