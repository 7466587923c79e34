package admit

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
)

// No check is known by which a later declaration makes an earlier one invalid.
// Were there one, the later one must not get in by it.
func TestWhatALaterDeclarationBreaksIsItsOwnProblem(t *testing.T) {
	last := api.Key{Kind: api.KindPeer, Name: "last"}
	first := api.Problem{Declaration: "Peer/first", Reason: "is taken", Cause: api.CauseHostClaimed}
	assert.Empty(t, blamed(nil, last))

	got := blamed(map[string][]api.Problem{"Peer/first": {first}}, last)
	require.Len(t, got, 1)
	assert.Equal(t, last.String(), got[0].Declaration)
	assert.Equal(t, api.CauseHostClaimed, got[0].Cause)
	assert.Contains(t, got[0].Reason, "Peer/first: is taken")

	own := api.Problem{Declaration: last.String(), Reason: "is wrong"}
	assert.Equal(t, []api.Problem{own}, blamed(map[string][]api.Problem{"Peer/first": {first}, last.String(): {own}}, last))
}
