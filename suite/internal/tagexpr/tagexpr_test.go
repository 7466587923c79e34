package tagexpr_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/suite/internal/tagexpr"
)

func TestExpressionsSelectAsCucumberSays(t *testing.T) {
	for _, c := range []struct {
		expression string
		tags       string
		want       bool
	}{
		{"", "", true},
		{"   ", "@a", true},
		{"@a", "@a @b", true},
		{"@a", "@b", false},
		{"@a", "@ab", false},
		{"not @a", "", true},
		{"not @a", "@a", false},
		{"not not @a", "@a", true},
		{"@a and @b", "@a", false},
		{"@a and @b", "@a @b", true},
		{"@a and not @b", "@a", true},
		{"@a or @b", "@b", true},
		{"@a or @b and @c", "@a", true},
		{"(@a or @b) and @c", "@a", false},
		{"not @a and @b", "@b", true},
		{"not (@a and @b)", "@b", true},
		{"not @a or @b", "@a @b", true},
		{"((@a))", "@a", true},
		{`@a\(1\)`, "@a(1)", true},
		{`@a\\b`, `@a\b`, true},
		{"@a\tand\n@b", "@a @b", true},
		{"@and and @or", "@and @or", true},
		{"@known-gap=istio-1", "@known-gap=istio-1", true},
	} {
		t.Run(c.expression+" on "+c.tags, func(t *testing.T) {
			e, err := tagexpr.Parse(c.expression)
			require.NoError(t, err)
			assert.Equal(t, c.want, e.Matches(strings.Fields(c.tags)))
			again, err := tagexpr.Parse(e.String())
			require.NoError(t, err, "%s", e)
			assert.Equal(t, c.want, again.Matches(strings.Fields(c.tags)), "%s", e)
		})
	}
}

func TestBadExpressionsAreRefusedWithThePlace(t *testing.T) {
	for expression, want := range map[string]string{
		"@a and":                     "character 7: the expression ends where a tag is wanted",
		"and @a":                     `character 1: "and": want a tag`,
		"@a @b":                      `character 4: "@b": want "and", "or" or the end`,
		"@a not @b":                  `character 4: "not": want "and", "or" or the end`,
		"(@a":                        `character 1: "(" is never closed`,
		"(@a @b)":                    `character 5: "@b": want "and", "or" or ")"`,
		"@a)":                        `character 3: ")" without "("`,
		"()":                         `character 2: ")": want a tag`,
		"core":                       `character 1: "core": a tag starts with "@"`,
		"@a && @b":                   `character 4: "&&": want "and", "or" or the end`,
		"! @b":                       `did you mean "not"?`,
		"@":                          `"@" without a name`,
		`@a\b`:                       "a backslash escapes only",
		`@a\`:                        "a backslash escapes only",
		strings.Repeat("(", 1000):    "levels deep",
		strings.Repeat("not ", 1000): "levels deep",
	} {
		_, err := tagexpr.Parse(expression)
		assert.ErrorContains(t, err, want, "%.40s", expression)
	}
}

func TestTagsNamesEveryTagOfTheExpression(t *testing.T) {
	e, err := tagexpr.Parse("@a and not (@b or @a)")
	require.NoError(t, err)
	assert.Equal(t, []string{"@a", "@b", "@a"}, e.Tags())
	assert.Empty(t, tagexpr.Expression{}.Tags())
	assert.True(t, tagexpr.Expression{}.Matches(nil), "the zero value selects everything")
}

// Whatever parses must print as something that parses to the same selection,
// and nothing may panic.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"@a and not (@b or @c)", `@a\(\\`, "((", "not", "@a\\ b or @c", "\xff"} {
		f.Add(seed, "@a @b")
	}
	f.Fuzz(func(t *testing.T, text, tags string) {
		e, err := tagexpr.Parse(text)
		if err != nil {
			return
		}
		again, err := tagexpr.Parse(e.String())
		if err != nil {
			if strings.Contains(err.Error(), "levels deep") {
				return
			}
			t.Fatalf("%q prints as %q: %v", text, e, err)
		}
		if set := strings.Fields(tags); e.Matches(set) != again.Matches(set) {
			t.Fatalf("%q and %q differ on %v", text, e, set)
		}
	})
}
