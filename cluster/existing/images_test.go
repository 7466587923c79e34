package existing_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/existing"
)

func needed() []existing.Image {
	return []existing.Image{{Word: "bookinfo", Local: "meshfed.local/bookinfo:dev", For: "Bookinfo"}, {Word: "federator", Local: "meshfed.local/federator:dev", For: "the controller"}}
}

func TestPodsCallAnImageAsTheClustersOwnerDoes(t *testing.T) {
	images, err := existing.ParseImages([]string{"bookinfo=registry.example.com:5000/mesh/bookinfo:v1"}, needed())
	require.NoError(t, err)
	o := existing.Options{Kubeconfig: kubeconfig(t, api(t, corev1.Service{})), Contexts: []existing.Context{{Name: "c1", Context: "one"}}, Images: images}
	c1 := open(t, o).Clusters()[0]
	assert.Equal(t, "registry.example.com:5000/mesh/bookinfo:v1", cluster.ImageIn(c1, "meshfed.local/bookinfo:dev"))
	assert.Equal(t, "meshfed.local/federator:dev", cluster.ImageIn(c1, "meshfed.local/federator:dev"), "it is on the nodes")
	assert.Equal(t, "another", cluster.ImageIn(c1, "another"))

	p, err := existing.New(o)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, p.Doctor(t.Context(), &out))
	assert.Contains(t, out.String(), "image bookinfo, for Bookinfo: the clusters pull registry.example.com:5000/mesh/bookinfo:v1\n")
	assert.Contains(t, out.String(), "image federator, for the controller: every node has to have meshfed.local/federator:dev; or name what the clusters can pull: --image federator=")
}

func TestAnImageThatCannotBeMeantIsRefused(t *testing.T) {
	for word, says := range map[string]string{
		"bookinfo":               "want NAME=REGISTRY/NAME:TAG, such as bookinfo=registry.example.com/bookinfo:dev",
		"reviews=r.example/b:1":  "the images are bookinfo, federator",
		"bookinfo=":              "want REGISTRY/NAME:TAG",
		"bookinfo=r.example/b":   "want REGISTRY/NAME:TAG",
		"bookinfo=bookinfo:dev":  "want REGISTRY/NAME:TAG",
		"bookinfo=r.example/B:1": "want REGISTRY/NAME:TAG",
		"bookinfo=r.example/b@x": "want REGISTRY/NAME:TAG",
	} {
		_, err := existing.ParseImages([]string{word}, needed())
		require.ErrorContains(t, err, says, word)
	}
	_, err := existing.ParseImages([]string{"bookinfo=r.example/b:1", "bookinfo=r.example/b:2"}, needed())
	require.ErrorContains(t, err, "bookinfo has a name already")
	_, err = existing.ParseImages([]string{"bookinfo=r.example/b@sha256:" + string(bytes.Repeat([]byte("a"), 64))}, needed())
	require.NoError(t, err)
}
