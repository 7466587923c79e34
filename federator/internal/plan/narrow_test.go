package plan

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/internal/render"
)

func grantOf(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	text := "{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: x, labels: {federation.meshfed.io/role: grant}}, spec: {" + spec + "}}"
	o := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &o.Object))
	return o
}

// What a grant loses is taken away first, and what it gains is added last. Of what
// is not understood nothing is kept.
func TestAGrantIsFirstNarrowedToWhatBothWishesHave(t *testing.T) {
	rule := func(who, methods, paths string) string {
		return "{from: [{source: {principals: [" + who + "]}}], to: [{operation: {hosts: [h, \"h:1\"], methods: [" + methods + "], paths: [" + paths + "]}}], when: [{key: connection.sni, values: [h]}]}"
	}
	rules := func(r string) string { return "selector: {matchLabels: {a: b}}, action: ALLOW, rules: [" + r + "]" }
	const nobody = ""
	for name, row := range map[string]struct{ before, now, want string }{
		"nothing changes":          {rule("c1", "GET", "/a/*"), rule("c1", "GET", "/a/*"), "nil"},
		"another order":            {rule("c1", "GET, POST", "/a/x, /a/y"), rule("c1", "POST, GET", "/a/y, /a/x"), "nil"},
		"a method more":            {rule("c1", "GET", "/a/*"), rule("c1", "GET, POST", "/a/*"), "nil"},
		"a peer more":              {rule("c1", "GET", "/a/*"), rule("c1", "GET", "/a/*") + ", " + rule("c3", "GET", "/a/*"), "nil"},
		"a path opens":             {rule("c1", "GET", "/a/x"), rule("c1", "GET", "/a/*"), "nil"},
		"a method less":            {rule("c1", "GET, POST", "/a/*"), rule("c1", "GET", "/a/*"), "all"},
		"a path closes":            {rule("c1", "GET", "/a/*"), rule("c1", "GET", "/a/x, /a/y/*"), "all"},
		"a peer less":              {rule("c1", "GET", "/a/*") + ", " + rule("c3", "GET", "/a/*"), rule("c1", "GET", "/a/*"), "all"},
		"another method":           {rule("c1", "GET, POST", "/a/*"), rule("c1", "PUT, GET", "/a/*"), rule("c1", "GET", "/a/*")},
		"another peer":             {rule("c1", "GET", "/a/*"), rule("c3", "GET", "/a/*"), nobody},
		"another path":             {rule("c1", "GET", "/a/*"), rule("c1", "GET", "/b/*"), nobody},
		"a path less, a peer more": {rule("c1", "GET", "/a/*"), rule("c1", "GET", "/a/x") + ", " + rule("c3", "GET", "/a/*"), rule("c1", "GET", "/a/x")},
		"opened by hand":           {"{}", rule("c1", "GET", "/a/*"), nobody},
		"more than was rendered":   {"{from: [{source: {principals: [c1]}}], to: [{operation: {notPaths: [/b/]}}]}", rule("c1", "GET", "/a/*"), nobody},
		"another host": {rule("c1", "GET", "/a/*"), "{from: [{source: {principals: [c1]}}], to: [{operation: {hosts: [g], methods: [GET], paths: [/a/*]}}], when: [{key: connection.sni, values: [g]}]}",
			nobody},
	} {
		t.Run(name, func(t *testing.T) {
			live, desired := grantOf(t, rules(row.before)), grantOf(t, rules(row.now))
			got := withdrawal(live, desired)
			switch row.want {
			case "nil":
				assert.Nil(t, got)
			case "all":
				assert.Same(t, desired, got)
			default:
				require.NotNil(t, got)
				assert.Equal(t, grantOf(t, rules(row.want)).Object, got.Object)
			}
		})
	}
}

// A grant that moves to other pods is narrowed where it stands.
func TestAGrantIsNarrowedAtThePodsThatItLeaves(t *testing.T) {
	live := grantOf(t, "selector: {matchLabels: {a: old}}, rules: [{from: [{source: {principals: [c1]}}], to: [{operation: {hosts: [h]}}]}]")
	got := withdrawal(live, grantOf(t, "selector: {matchLabels: {a: new}}, rules: []"))
	require.NotNil(t, got)
	assert.Equal(t, grantOf(t, "selector: {matchLabels: {a: old}}, rules: []").Object, got.Object)
}

// A listener that goes to other pods first listens nowhere.
func TestAListenerThatMovesToOtherPodsIsClosedFirst(t *testing.T) {
	listener := func(pods string) Change {
		o := grantOf(t, "selector: {istio: "+pods+"}")
		o.SetKind("Gateway")
		o.SetLabels(map[string]string{render.LabelRole: string(render.RoleListener)})
		return Change{Action: ActionUpdate, Object: ObjectRef{Name: "listener"}, role: render.RoleListener, desired: o}
	}
	live, moved := listener("a"), listener("b")
	assert.Nil(t, withdrawal(live.desired, listener("a").desired))
	moved.withdraws = withdrawal(live.desired, moved.desired)
	deny := Change{Action: ActionUpdate, Object: ObjectRef{Name: "deny"}, role: render.RoleDefaultDeny}
	steps := Plan{Changes: []Change{deny, moved}}.Steps()
	require.Len(t, steps, 3)
	assert.Equal(t, "listener", steps[0].Object.Name)
	assert.Equal(t, map[string]any{"selector": map[string]any{closed: "true"}}, steps[0].Desired().Object["spec"])
	assert.Equal(t, "deny", steps[1].Object.Name)
	assert.Same(t, moved.desired, steps[2].Desired())
}

// The steps are the changes, and once more those that take away before they add.
func TestTheStepsTakeAwayBeforeTheyLead(t *testing.T) {
	grant := func(paths string) *unstructured.Unstructured {
		return grantOf(t, "rules: [{from: [{source: {principals: [c1]}}], to: [{operation: {paths: ["+paths+"]}}]}]")
	}
	change := func(name, before, now string) Change {
		c := Change{Action: ActionUpdate, Object: ObjectRef{Name: name}, role: "grant", desired: grant(now)}
		c.withdraws = withdrawal(grant(before), c.desired)
		return c
	}
	p := Plan{Changes: []Change{
		change("wider", "/a/x", "/a/x, /a/y"), change("moved", "/b/*", "/c/*"), change("narrower", "/d/x, /d/y", "/d/x"),
		{Action: ActionUpdate, Object: ObjectRef{Name: "route"}, role: "route"},
	}}
	var got []string
	for _, s := range p.Steps() {
		got = append(got, s.Object.Name)
	}
	assert.Equal(t, []string{"narrower", "moved", "route", "wider", "moved"}, got)
	assert.Empty(t, rules(p.Steps()[1].Desired()))
	assert.NotEmpty(t, rules(p.Steps()[4].Desired()))
}
