package access_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/internal/access"
)

func TestNobodyIsGrantedSecretsOrEverything(t *testing.T) {
	for _, place := range access.Places() {
		rules := access.Rules(place, "istio")
		require.NotEmpty(t, rules, place)
		for _, r := range rules {
			assert.NotContains(t, r.Resources, "secrets", place)
			for _, list := range [][]string{r.APIGroups, r.Resources, r.Verbs} {
				assert.NotEmpty(t, list, place)
				assert.False(t, slices.Contains(list, "*"), "%s: %v", place, r)
			}
		}
	}
}

// The controller may say how a declaration fares, never what it says.
func TestDeclarationsAreNotWritten(t *testing.T) {
	for _, place := range access.Places() {
		for _, r := range access.Rules(place, "istio") {
			if slices.Contains(r.Resources, "exposures") {
				assert.ElementsMatch(t, []string{"list", "watch"}, r.Verbs)
			}
		}
	}
}
