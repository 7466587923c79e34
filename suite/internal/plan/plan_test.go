package plan_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/suite/internal/plan"
)

const expose = `@expose
Feature: Expose

  Background:
    Given two meshes

  @core
  Scenario: Nothing by default!
    Then nothing

  @acl
  Rule: Only what is named

    @extended
    Scenario Outline: <path> is refused
      Then <path> is refused

      Examples:
        | path |
        | /a   |
      @slow
      Examples:
        | path |
        | /b   |
`

func load(t *testing.T, files map[string]string) ([]plan.Scenario, error) {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return plan.Load(fsys)
}

func ids(scenarios []plan.Scenario) []string {
	var all []string
	for _, s := range scenarios {
		all = append(all, s.ID)
	}
	return all
}

func TestEachScenarioAndRowHasAnIdentityALineAndItsTags(t *testing.T) {
	all, err := load(t, map[string]string{"expose.feature": expose})
	require.NoError(t, err)
	require.Equal(t, []string{"expose/nothing-by-default", "expose/path-is-refused/1", "expose/path-is-refused/2"}, ids(all))
	assert.Equal(t, 8, all[0].Line)
	assert.Empty(t, all[0].Rule)
	assert.Equal(t, []string{"@expose", "@core"}, all[0].Tags)
	assert.Len(t, all[0].Pickle.Steps, 2, "the background's step comes first")
	assert.Equal(t, "Only what is named", all[2].Rule)
	assert.Equal(t, "/b is refused", all[2].Name)
	assert.Equal(t, 24, all[2].Line)
	assert.Equal(t, []string{"@expose", "@acl", "@extended", "@slow"}, all[2].Tags)
}

func TestPathsSelectFilesScenariosAndRows(t *testing.T) {
	all, err := load(t, map[string]string{"expose.feature": expose, "b.feature": "Feature: B\n  Scenario: One\n    Given x\n"})
	require.NoError(t, err)
	for argument, want := range map[string][]string{
		"b.feature":                    {"b/one"},
		"./features/b.feature":         {"b/one"},
		"/anywhere/features/b.feature": {"b/one"},
		"expose.feature:8":             {"expose/nothing-by-default"},
		"expose.feature:9":             {"expose/nothing-by-default"},
		"expose.feature:14":            {"expose/path-is-refused/1", "expose/path-is-refused/2"},
		"expose.feature:15":            {"expose/path-is-refused/1", "expose/path-is-refused/2"},
		"expose.feature:16":            {"expose/path-is-refused/1", "expose/path-is-refused/2"},
		"expose.feature:20":            {"expose/path-is-refused/1"},
		"expose.feature:24":            {"expose/path-is-refused/2"},
	} {
		got, err := plan.ByPaths(all, []string{argument})
		require.NoError(t, err, argument)
		assert.Equal(t, want, ids(got), argument)
	}
	got, err := plan.ByPaths(all, []string{"expose.feature:8", "b.feature", "expose.feature:8"})
	require.NoError(t, err)
	assert.Equal(t, []string{"b/one", "expose/nothing-by-default"}, ids(got), "once each, in the features' order")
	got, err = plan.ByPaths(all, nil)
	require.NoError(t, err)
	assert.Len(t, got, 4)
}

func TestBadPathsSayWhatThereIs(t *testing.T) {
	all, err := load(t, map[string]string{"expose.feature": expose})
	require.NoError(t, err)
	for argument, want := range map[string]string{
		"other.feature":      "there are expose.feature",
		"xexpose.feature":    "no such feature",
		"expose.feature:2":   "they start at lines 7, 14",
		"expose.feature:x":   "want a number",
		"expose.feature:0":   "want a number",
		"expose.feature:1:2": "want a number",
		"":                   "no such feature",
	} {
		_, err := plan.ByPaths(all, []string{argument})
		assert.ErrorContains(t, err, want, "argument %q", argument)
	}
}

func TestBadFeaturesAreRefusedWithTheirPlace(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"twins":  {"Feature: A\n  Scenario: x\n    Given a\n  Scenario: X!\n    Given b\n", "a.feature:4: a scenario of the same name is at line 2"},
		"syntax": {"Feature: A\n  Scenario: x\n    Given a\n    Nonsense\n", "a.feature: Parser errors"},
		"empty":  {"# nothing\n", "a.feature: no feature"},
	} {
		_, err := load(t, map[string]string{"a.feature": c.content})
		assert.ErrorContains(t, err, c.want, name)
	}
}
