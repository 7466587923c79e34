package oracle_test

import (
	"fmt"
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

const entrances = `kind: Mesh
metadata: {name: c2}
spec: {host: c2.example.com, ingress: {port: 15443}}
---
kind: Peer
metadata: {name: c1}
spec: {clientIdentity: spiffe://c1/egress, ingress: {host: c1.c2.example.com, credentialName: c1-certs}}
---
kind: Peer
metadata: {name: c3}
spec: {clientIdentity: spiffe://c3/egress, ingress: {host: c3.c2.example.com, credentialName: c3-certs}}
---
kind: Peer
metadata: {name: c5}
spec: {clientIdentity: spiffe://c5/egress, ingress: {host: c5.c2.example.com, credentialName: c5-certs}}
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
  consumers: [{peer: c3, methods: [GET]}%s]
`

func TestAnEntranceIsOnePeersAlone(t *testing.T) {
	alone, err := oracle.Parse(fmt.Sprintf(entrances, ""))
	require.NoError(t, err)
	shared, err := oracle.Parse(fmt.Sprintf(entrances, ", {peer: c4, methods: [GET]}") + "---\nkind: Peer\nmetadata: {name: c4}\nspec: {clientIdentity: spiffe://c4/egress}\n")
	require.NoError(t, err)
	at := func(identity, authority, sni, host string) oracle.Attempt {
		return attempt(func(a *oracle.Attempt) {
			a.Caller.Identity, a.Caller.Authority, a.SNI, a.Host = identity, authority, sni, host
		})
	}
	const c1, c3 = "c1.c2.example.com", "c3.c2.example.com"
	for name, c := range map[string]struct {
		attempt oracle.Attempt
		want    oracle.Fate
	}{
		"by its authority and name":              {at("spiffe://c1/egress", "c1", c1, c1), oracle.Granted},
		"by name in capitals, with the port":     {at("spiffe://c1/egress", "c1", "C1.C2.example.com", c1+":15443"), oracle.Granted},
		"its name by another peer's authority":   {at("spiffe://c1/egress", "c3", c1, c1), oracle.UnknownAuthority},
		"its name at the other peer's":           {at("spiffe://c1/egress", "c3", c3, c3), oracle.WrongName},
		"itself at the other peer's":             {at("spiffe://c1/egress", "c1", c3, c3), oracle.UnknownAuthority},
		"its name by the authority of all":       {at("spiffe://c1/egress", "", c1, c1), oracle.UnknownAuthority},
		"the other peer's host by its own SNI":   {at("spiffe://c1/egress", "c1", c1, c3), oracle.DeniedByPolicy},
		"the host of all by its own SNI":         {at("spiffe://c1/egress", "c1", c1, "c2.example.com"), oracle.DeniedByPolicy},
		"what is the other peer's":               {at("spiffe://c3/egress", "c3", c3, c3), oracle.DeniedByPolicy},
		"an entrance to nothing":                 {at("spiffe://c5/egress", "c5", "c5.c2.example.com", "c5.c2.example.com"), oracle.NoHandshake},
		"the entrance of all, which nobody uses": {at("spiffe://c1/egress", "", "c2.example.com", "c2.example.com"), oracle.NoHandshake},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, alone.Judge(c.attempt).Fate) })
	}
	assert.Equal(t, oracle.DeniedByPolicy, shared.Judge(at("spiffe://c1/egress", "", "c2.example.com", "c2.example.com")).Fate, "who has an entrance is admitted nowhere else")
	assert.Equal(t, oracle.DeniedByPolicy, shared.Judge(at("spiffe://c1/egress", "", "c2.example.com", c1)).Fate)
	assert.Equal(t, oracle.UnknownAuthority, shared.Judge(at("spiffe://c1/egress", "c1", "c2.example.com", c1)).Fate)
	four := at("spiffe://c4/egress", "", "c2.example.com", "c2.example.com")
	four.Path = "/ratings/x"
	assert.Equal(t, oracle.Granted, shared.Judge(four).Fate)
	four.SNI, four.Host = c3, c3
	assert.Equal(t, oracle.UnknownAuthority, shared.Judge(four).Fate)
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
