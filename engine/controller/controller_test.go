package controller

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/api/apitest"
)

func TestItIsChosenByItsNameAndClaimsEverything(t *testing.T) {
	e, err := engine.Known{Engines: []engine.Engine{New("v1")}}.Choose(t.Context(), Name)
	require.NoError(t, err)
	assert.Equal(t, engine.Capabilities(), e.Capabilities())
	assert.Equal(t, "v1", e.Version())
}

func TestDeclarationsBecomeResourcesThatBearTheHarnesssMark(t *testing.T) {
	w, err := read(apitest.Valid)
	require.NoError(t, err)
	require.Len(t, w.objects, 4)
	for _, o := range w.objects {
		assert.Equal(t, markerValue, o.GetLabels()[marker])
		assert.True(t, w.has(o))
	}
	assert.Equal(t, 1, w.count(api.KindExposure))
	other := w.objects[2].DeepCopy()
	other.SetName("other")
	assert.False(t, w.has(other))
}

// An owner's file is their word, also where a peer has a new identity.
func TestTheIdentitiesOfAPeerAreConfirmed(t *testing.T) {
	w, err := read(apitest.Valid)
	require.NoError(t, err)
	assert.Equal(t, "spiffe://c2.example.com/egress,spiffe://c2.example.com/ingress",
		w.objects[1].GetAnnotations()[api.AnnotationConfirmIdentity])
}

func TestOtherObjectsAreNoDeclarations(t *testing.T) {
	_, err := read("{apiVersion: v1, kind: Secret, metadata: {name: x}}")
	assert.ErrorContains(t, err, "Secret x is of v1; write "+api.APIVersion)
}

func TestOnlyTheConditionsOfThisGenerationCount(t *testing.T) {
	condition := func(kind, status, reason string, seen int64) any {
		return map[string]any{"type": kind, "status": status, "reason": reason, "message": "why", "observedGeneration": seen}
	}
	cases := map[string]struct {
		conditions          []any
		words               string
		programmed, refused bool
	}{
		"none":    {nil, "the controller has said nothing yet", false, false},
		"earlier": {[]any{condition("Programmed", "True", "Programmed", 1)}, "the controller has said nothing yet", false, false},
		"done":    {[]any{condition("Accepted", "True", "Accepted", 2), condition("Programmed", "True", "Programmed", 2)}, "Programmed: why", true, false},
		"refused": {[]any{condition("Programmed", "False", "PathClaimed", 2)}, "PathClaimed: why", false, true},
		"in part": {[]any{condition("Accepted", "True", "PartiallyAccepted", 2), condition("Programmed", "True", "Programmed", 2)}, "PartiallyAccepted: why", false, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := &unstructured.Unstructured{Object: map[string]any{
				"metadata": map[string]any{"generation": int64(2)}, "status": map[string]any{"conditions": c.conditions}}}
			words, programmed, refused := verdictOf(o)
			assert.Equal(t, c.words, words)
			assert.Equal(t, c.programmed, programmed)
			assert.Equal(t, c.refused, refused)
		})
	}
}

func TestOnlyADocumentThatNoAPIServerTakesIsOversized(t *testing.T) {
	mountain := "kind: Peer\nspec: {sni: " + strings.Repeat("a", maxRequest) + "}\n"
	assert.Empty(t, oversized(apitest.Valid))
	assert.Equal(t, []string{mountain}, oversized(apitest.Valid+"\n---\n"+mountain))
	hill := "kind: Peer\nspec: {sni: " + strings.Repeat("a", maxRequest/2) + "}"
	assert.Empty(t, oversized(hill+"\n---\n"+hill+"\n---\n"+hill), "each of them can be a resource")
}
