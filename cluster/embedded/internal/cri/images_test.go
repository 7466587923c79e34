package cri_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func spec(ref string) *runtimeapi.ImageSpec { return &runtimeapi.ImageSpec{Image: ref} }

func TestAKnownImageIsPulledAndFoundByNameAndId(t *testing.T) {
	n := startNode(t)
	ctx := t.Context()
	pulled, err := n.images.PullImage(ctx, &runtimeapi.PullImageRequest{Image: spec(testImage)})
	require.NoError(t, err)
	for _, ref := range []string{testImage, pulled.ImageRef} {
		st, err := n.images.ImageStatus(ctx, &runtimeapi.ImageStatusRequest{Image: spec(ref)})
		require.NoError(t, err)
		require.NotNil(t, st.Image, ref)
		assert.Equal(t, pulled.ImageRef, st.Image.Id)
		assert.Equal(t, []string{testImage}, st.Image.RepoTags)
		assert.Positive(t, st.Image.Size)
		assert.True(t, st.Image.Pinned)
	}
}

func TestAnUnknownImageIsNotFoundAndTheKnownOnesAreNamed(t *testing.T) {
	n := startNode(t)
	ctx := t.Context()
	_, err := n.images.PullImage(ctx, &runtimeapi.PullImageRequest{Image: spec("nginx:1.2")})
	assert.Equal(t, codes.NotFound, status.Code(err))
	assert.ErrorContains(t, err, `image "nginx:1.2" is not on this node and nothing is pulled from registries; known are meshfed.local/payload:dev`)
	st, err := n.images.ImageStatus(ctx, &runtimeapi.ImageStatusRequest{Image: spec("nginx:1.2")})
	require.NoError(t, err)
	assert.Nil(t, st.Image)
	pod, pc := n.pod()
	config := containerConfig()
	config.Image = spec("nginx")
	_, err = n.create(pod, pc, config)
	assert.ErrorContains(t, err, "known are meshfed.local/payload:dev")
}

func TestARemovedImageIsHiddenUntilItIsPulledAgain(t *testing.T) {
	n := startNode(t)
	ctx := t.Context()
	count := func() int {
		list, err := n.images.ListImages(ctx, &runtimeapi.ListImagesRequest{})
		require.NoError(t, err)
		return len(list.Images)
	}
	require.Equal(t, 1, count())
	for range 2 {
		_, err := n.images.RemoveImage(ctx, &runtimeapi.RemoveImageRequest{Image: spec(testImage)})
		require.NoError(t, err)
		assert.Zero(t, count())
	}
	_, err := n.images.PullImage(ctx, &runtimeapi.PullImageRequest{Image: spec(testImage)})
	require.NoError(t, err)
	assert.Equal(t, 1, count())
}
