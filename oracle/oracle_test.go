package oracle_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/oracle"
)

const story = `kind: Mesh
metadata: {name: c2}
spec: {host: c2.example.com, ingress: {port: 15443}}
---
kind: Peer
metadata: {name: c1}
spec: {clientIdentity: spiffe://c1/egress}
---
kind: Peer
metadata: {name: c3}
spec: {clientIdentity: spiffe://c3/egress}
---
kind: Exposure
metadata: {name: reviews, namespace: bookinfo}
spec:
  service: {name: myreviews, port: 9080, subset: v2}
  path: /bookinfo/reviews/
  consumers: [{peer: c1, methods: [GET]}]
---
kind: Exposure
metadata: {name: ratings, namespace: bookinfo}
spec:
  service: {name: ratings, port: 9080}
  path: /ratings/
  consumers: [{peer: c1, methods: [GET], paths: [ratings/, version]}, {peer: c3, methods: [GET, POST]}]
`

func caller(id string) oracle.Caller {
	return oracle.Caller{Credentials: oracle.Certificate, Identity: id}
}

func attempt(change func(*oracle.Attempt)) oracle.Attempt {
	a := oracle.Attempt{Caller: caller("spiffe://c1/egress"), SNI: "c2.example.com", Host: "c2.example.com", Path: "/bookinfo/reviews/0", Method: "GET"}
	change(&a)
	return a
}

func TestTheOracleSaysWhatTheDeclarationsMean(t *testing.T) {
	wish, err := oracle.Parse(story)
	require.NoError(t, err)
	reviews := oracle.Expectation{Fate: oracle.Granted, Service: "myreviews", Version: "v2"}
	ratings := oracle.Expectation{Fate: oracle.Granted, Service: "ratings"}
	denied := oracle.Expectation{Fate: oracle.DeniedByPolicy}
	path := func(p string) oracle.Attempt { return attempt(func(a *oracle.Attempt) { a.Path = p }) }
	c3 := func(method, p string) oracle.Attempt {
		return attempt(func(a *oracle.Attempt) { a.Caller, a.Method, a.Path = caller("spiffe://c3/egress"), method, p })
	}
	for name, c := range map[string]struct {
		attempt oracle.Attempt
		want    oracle.Expectation
	}{
		"what is exposed":                   {path("/bookinfo/reviews/0"), reviews},
		"the bare prefix":                   {path("/bookinfo/reviews/"), reviews},
		"a query":                           {path("/bookinfo/reviews/0?a=/../"), reviews},
		"the authority with its port":       {attempt(func(a *oracle.Attempt) { a.Host = "C2.example.com:15443" }), reviews},
		"an SNI in capitals":                {attempt(func(a *oracle.Attempt) { a.SNI = "C2.EXAMPLE.COM" }), reviews},
		"merged slashes":                    {path("//bookinfo//reviews//0"), reviews},
		"dots that stay within":             {path("/bookinfo/reviews/x/../0"), reviews},
		"dots twice encoded are no dots":    {path("/bookinfo/reviews/%252e%252e/x"), reviews},
		"an encoded letter":                 {path("/bookinfo/%72eviews/0"), reviews},
		"a path below a granted one":        {path("/ratings/ratings/0"), ratings},
		"an exact path":                     {path("/ratings/version"), ratings},
		"another peer's method":             {c3("POST", "/ratings/x"), ratings},
		"below an exact path":               {path("/ratings/version/x"), denied},
		"beside a granted path":             {path("/ratings/other"), denied},
		"no trailing slash":                 {path("/bookinfo/reviews"), denied},
		"a longer name":                     {path("/bookinfo/reviewsx/0"), denied},
		"dots out":                          {path("/bookinfo/reviews/../x"), denied},
		"dots to the parent":                {path("/bookinfo/reviews/.."), denied},
		"dots above the root":               {path("/../../bookinfo"), denied},
		"encoded dots out":                  {path("/bookinfo/reviews/%2e%2E/x"), denied},
		"encoded slashes out":               {path("/bookinfo/reviews/..%2fx"), denied},
		"encoded backslashes out":           {path("/bookinfo/reviews/..%5cx"), denied},
		"backslashes out":                   {path(`/bookinfo/reviews/..\x`), denied},
		"dots with a parameter":             {path("/bookinfo/reviews/..;/x"), denied},
		"a parameter is part of its name":   {path("/bookinfo/reviews/a;b=c"), reviews},
		"another peer":                      {c3("GET", "/bookinfo/reviews/0"), denied},
		"another method":                    {attempt(func(a *oracle.Attempt) { a.Method = "POST" }), denied},
		"a method in lower case":            {attempt(func(a *oracle.Attempt) { a.Method = "get" }), denied},
		"another host":                      {attempt(func(a *oracle.Attempt) { a.Host = "ratings.bookinfo.svc.cluster.local" }), denied},
		"an authority with a trailing dot":  {attempt(func(a *oracle.Attempt) { a.Host = "c2.example.com." }), denied},
		"an identity that nobody has named": {attempt(func(a *oracle.Attempt) { a.Caller = caller("spiffe://c4/egress") }), denied},
		"a certificate without an identity": {attempt(func(a *oracle.Attempt) { a.Caller = caller("") }), denied},
		"no certificate":                    {attempt(func(a *oracle.Attempt) { a.Caller.Credentials = oracle.None }), oracle.Expectation{Fate: oracle.CertificateRequired}},
		"another CA":                        {attempt(func(a *oracle.Attempt) { a.Caller.Credentials = oracle.Foreign }), oracle.Expectation{Fate: oracle.UnknownAuthority}},
		"another CA and another SNI":        {attempt(func(a *oracle.Attempt) { a.Caller.Credentials, a.SNI = oracle.Foreign, "x" }), oracle.Expectation{Fate: oracle.NoHandshake}},
		"plain HTTP":                        {attempt(func(a *oracle.Attempt) { a.Caller.Credentials = oracle.Plaintext }), oracle.Expectation{Fate: oracle.NoHandshake}},
		"no SNI":                            {attempt(func(a *oracle.Attempt) { a.SNI = "" }), oracle.Expectation{Fate: oracle.NoHandshake}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, wish.Judge(c.attempt)) })
	}
}

func TestNothingExposedIsNobodyListening(t *testing.T) {
	wish, err := oracle.Parse("kind: Mesh\nmetadata: {name: c2}\nspec: {host: c2.example.com, ingress: {port: 15443}}\n")
	require.NoError(t, err)
	assert.Equal(t, oracle.Expectation{Fate: oracle.NobodyListens}, wish.Judge(attempt(func(*oracle.Attempt) {})))
}

func TestTheTableHoldsEveryDimensionAndBothAnswers(t *testing.T) {
	wish, err := oracle.Parse(story)
	require.NoError(t, err)
	table := wish.Table(oracle.Dimensions{
		Callers: []oracle.Caller{caller("spiffe://c1/egress"), caller("spiffe://c3/egress"), {Credentials: oracle.None}, {Credentials: oracle.Plaintext}},
		Samples: map[string]string{"myreviews": "reviews/0", "ratings": "ratings/0"},
	})
	assert.Greater(t, len(table), 500)
	seen := map[oracle.Attempt]bool{}
	fates := map[oracle.Fate]int{}
	classes := map[oracle.Class]bool{}
	for _, a := range table {
		assert.False(t, seen[a], "twice: %s", a)
		seen[a] = true
		fates[wish.Judge(a).Fate]++
		classes[a.Class] = true
	}
	for _, f := range []oracle.Fate{oracle.Granted, oracle.DeniedByPolicy, oracle.NoHandshake, oracle.CertificateRequired} {
		assert.NotZero(t, fates[f], f)
	}
	assert.Greater(t, len(classes), 15)
	assert.Greater(t, fates[oracle.DeniedByPolicy], fates[oracle.Granted], "most of what can be asked is refused")
}

func TestWhatCannotBeReadIsAnErrorAndNotAnEmptyTable(t *testing.T) {
	for name, text := range map[string]string{"no YAML": "kind: [", "no mesh": "kind: Peer\nmetadata: {name: c1}\n", "nothing": ""} {
		_, err := oracle.Parse(text)
		assert.ErrorContains(t, err, "oracle: ", name)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(story, "/bookinfo/reviews/..%2f%")
	f.Fuzz(func(t *testing.T, declarations, path string) {
		wish, err := oracle.Parse(declarations)
		if err != nil {
			return
		}
		a := attempt(func(a *oracle.Attempt) { a.Path = path })
		assert.Equal(t, wish.Judge(a), wish.Judge(a))
	})
}
