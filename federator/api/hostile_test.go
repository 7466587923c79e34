package api_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
)

// endless is a document of any size that costs no memory until it is read.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.left)
	for i := range p[:n] {
		p[i] = 'a'
	}
	e.left -= n
	return n, nil
}

// claims is a wish with a peer that says it is somebody.
func claims(sni string) io.Reader {
	return strings.NewReader(strings.Replace(valid, "sni: c2.example.com", "sni: "+sni, 1))
}

func TestAHostileDocumentIsRefusedInBoundedTime(t *testing.T) {
	var names strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&names, "x%d,", i)
	}
	for name, c := range map[string]struct {
		text io.Reader
		want string
	}{
		"100 MB":             {&endless{100 << 20}, "larger than 4 MiB"},
		"a million names":    {strings.NewReader("kind: Peer\nmetadata: {name: a}\nspec: {offers: [" + names.String() + "]}\n"), "larger than 4 MiB"},
		"100,000 levels":     {strings.NewReader("a: " + strings.Repeat("[", 100_000)), "hostile"},
		"levels that end":    {strings.NewReader("a: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)), "hostile"},
		"a wildcard host":    {strings.NewReader(strings.Replace(valid, "host: c1.example.com", `host: "*.local"`, 1)), "wildcards expose more than is declared"},
		"a name's twin":      {strings.NewReader(strings.Replace(valid, "host: c1.example.com", "host: с1.example.com", 1)), "lowercase RFC 1123"},
		"another's secret":   {strings.NewReader(strings.Replace(valid, "credentialName: ", "credentialName: kube-system/", 1)), "lowercase RFC 1123"},
		"the API server":     {claims("kubernetes.default.svc.cluster.local"), "is a name of this cluster"},
		"a short name":       {claims("reviews.default.svc"), "is a name of this cluster"},
		"any local name":     {claims("printer.local"), "is a name of this cluster"},
		"our own host":       {claims("c1.example.com"), "is this mesh's own host"},
		"a wildcard caller":  {strings.NewReader(strings.Replace(valid, "clientIdentity: spiffe://", `clientIdentity: spiffe://*`, 1)), "wildcards admit identities"},
		"a path of patterns": {strings.NewReader(strings.Replace(valid, "path: /", "path: /(a+)+/", 1)), "may hold only letters"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := api.Parse("hostile", c.text)
			require.ErrorContains(t, err, c.want)
			assert.Less(t, len(err.Error()), 64<<10, "the refusal must not be as long as the attack")
			assert.Less(t, time.Since(start), 5*time.Second)
		})
	}
}
