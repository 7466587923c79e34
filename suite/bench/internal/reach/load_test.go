package reach

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/load"
)

// Load whose generator was late is sent again, and asked for "https://c2https://c2/a"
// when the first sending had left its authority in the plan.
func TestLoadThatIsSentTwiceAsksForTheSame(t *testing.T) {
	plan := []load.Target{{Name: "one", URL: "/a"}}
	edges := map[string]traffic.Edge{"one": {Server: traffic.Server{DNS: "c2.example"}}}
	for range 2 {
		assert.Equal(t, []load.Target{{Name: "one", URL: "https://c2.example/a"}}, addressed(plan, edges))
	}
}
