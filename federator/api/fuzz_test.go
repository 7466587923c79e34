package api_test

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/oracle"
)

// declarations are those of the features, one text per scenario step.
func declarations(t testing.TB) []string {
	t.Helper()
	files, err := fs.Glob(features.FS, "*.feature")
	require.NoError(t, err)
	var all []string
	for _, file := range files {
		content, err := fs.ReadFile(features.FS, file)
		require.NoError(t, err)
		for i, part := range strings.Split(string(content), `"""`) {
			if i%2 == 1 {
				_, text, _ := strings.Cut(part, "\n")
				all = append(all, text)
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

const oneExposure = `apiVersion: federation.meshfed.io/v1alpha1
kind: Mesh
metadata: {name: c2}
spec:
  host: c2.example.com
  ingress: {namespace: gateways, service: ingress, selector: {istio: ingress}, port: 15443, credentialName: certs}
---
apiVersion: federation.meshfed.io/v1alpha1
kind: Peer
metadata: {name: c1}
spec: {clientIdentity: spiffe://c1.example.com/egress}
---
apiVersion: federation.meshfed.io/v1alpha1
kind: Exposure
metadata: {name: x, namespace: bookinfo}
spec:
  service: {name: x, port: 9080}
  path: %s
  consumers: [{peer: c1, methods: [GET], paths: [%s]}]
`

// FuzzPath: a path that is accepted means to everybody what it spells. The
// oracle, which reads paths by itself, grants what is below it and nothing
// beside it.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"/bookinfo/ratings/v1/", "/a/", "/", "/a//b/", "/a/../b/", "/a/%72/", "/(a+)+/", "/a/*/", "/a;b/", "/a\\b/", "/á/", "/a"} {
		f.Add(path, "ratings/")
		f.Add("/a/", path)
	}
	f.Fuzz(func(t *testing.T, path, below string) {
		text := fmt.Sprintf(oneExposure, strconv.Quote(path), strconv.Quote(below))
		spec, err := api.Parse("fuzz", strings.NewReader(text))
		if err != nil {
			return
		}
		wish, err := oracle.Parse(text)
		require.NoError(t, err)
		judge := func(target string) oracle.Fate {
			return wish.Judge(oracle.Attempt{
				Caller: oracle.Caller{Credentials: oracle.Certificate, Identity: "spiffe://c1.example.com/egress"},
				SNI:    "c2.example.com", Host: "c2.example.com", Path: target, Method: "GET",
			}).Fate
		}
		whole := spec.Exposures[0].Spec.Path + spec.Exposures[0].Spec.Consumers[0].Paths[0]
		require.Equal(t, oracle.Granted, judge(whole), whole)
		require.Equal(t, oracle.DeniedByPolicy, judge("/"), path)
		require.Equal(t, oracle.DeniedByPolicy, judge(strings.TrimSuffix(path, "/")), path)
		require.Equal(t, oracle.DeniedByPolicy, judge(strings.TrimSuffix(path, "/")+"x/"+below), path)
	})
}

// FuzzKey: a key that is read spells itself.
func FuzzKey(f *testing.F) {
	for _, text := range []string{"Exposure/bookinfo/reviews-v2", "Mesh/c2", "Peer/c1", "Exposure//x", "/", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if key, err := api.ParseKey(text); err == nil {
			require.Equal(t, text, key.String())
		}
	})
}
