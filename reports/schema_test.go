package reports_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/meshfed/meshfed/reports"
)

const (
	schemaFile = "schema/conformance-report-v1alpha1.schema.json"
	schemaID   = "https://conformance.meshfed.io/schemas/v1alpha1/conformance-report.json"
)

// vocabulary is the schema of a closed set of words: a reader must be able to
// rely on them. Other types are left to the reflector.
func vocabulary(of reflect.Type) *jsonschema.Schema {
	var words []any
	switch of {
	case reflect.TypeFor[reports.Verdict]():
		words = anys(reports.Verdicts())
	case reflect.TypeFor[reports.StepStatus]():
		words = anys(reports.StepStatuses())
	case reflect.TypeFor[reports.FaultKind]():
		words = anys(reports.FaultKinds())
	case reflect.TypeFor[reports.ProfileName]():
		words = anys(reports.ProfileNames())
	case reflect.TypeFor[reports.ProfileResult]():
		words = anys([]reports.ProfileResult{reports.Success, reports.Partial, reports.Failure})
	case reflect.TypeFor[reports.KneeEnd]():
		words = anys(reports.KneeEnds())
	case reflect.TypeFor[reports.Access]():
		words = anys([]reports.Access{reports.Granted, reports.Refused})
	default:
		return nil
	}
	return &jsonschema.Schema{Type: "string", Enum: words}
}

func anys[T ~string](words []T) (all []any) {
	for _, w := range words {
		all = append(all, string(w))
	}
	return all
}

func generate(t *testing.T) []byte {
	t.Helper()
	reflector := jsonschema.Reflector{Anonymous: true, Mapper: vocabulary}
	require.NoError(t, reflector.AddGoComments("github.com/meshfed/meshfed/reports", "."))
	// The comments' paths are relative to this folder.
	comments := map[string]string{}
	for name, text := range reflector.CommentMap {
		comments[strings.Replace(name, "/reports/.", "/reports", 1)] = text
	}
	reflector.CommentMap = comments
	s := reflector.Reflect(&reports.ConformanceReport{})
	s.ID = schemaID
	s.Title = reports.Kind + " " + reports.APIVersion
	content, err := json.MarshalIndent(s, "", "  ")
	require.NoError(t, err)
	return append(content, '\n')
}

func TestTheSchemaIsThatOfTheTypes(t *testing.T) {
	got := generate(t)
	if *update {
		require.NoError(t, os.WriteFile(schemaFile, got, 0o644))
	}
	want, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "run with -update")
}

func compiled(t *testing.T) *validator.Schema {
	t.Helper()
	document, err := validator.UnmarshalJSON(bytes.NewReader(generate(t)))
	require.NoError(t, err)
	compiler := validator.NewCompiler()
	require.NoError(t, compiler.AddResource(schemaID, document))
	s, err := compiler.Compile(schemaID)
	require.NoError(t, err)
	return s
}

func TestEveryReportSatisfiesTheSchema(t *testing.T) {
	s := compiled(t)
	withFigures := scenario("figures", reports.Passed, "")
	for _, figure := range []reports.Figure{
		aSplit(490, 510), aTable(cell(reports.Refused, reports.Refused, 0)), aLoad(0.1, ""),
		reports.Revocation("cancel", reports.NewConnection, 400, []float64{1, 2}), aShift(4.6, 5.4), someHops(), aCost(), aKnee(50, 100),
	} {
		require.NoError(t, withFigures.Figures.Add(figure))
	}
	for name, report := range map[string]reports.ConformanceReport{
		"all":         reports.Assemble(aRun(), append(allVerdicts(), withFigures), ended()),
		"no set-up":   reports.Assemble(aRun(), nil, reports.End{Finished: started, SetupError: "x"}),
		"interrupted": reports.Assemble(aRun(), nil, reports.End{Interrupted: true}),
		"nothing":     reports.Assemble(reports.Run{}, nil, reports.End{}),
	} {
		var asJSON, asYAML bytes.Buffer
		require.NoError(t, reports.WriteJSON(&asJSON, report))
		require.NoError(t, reports.WriteYAML(&asYAML, report))
		document, err := validator.UnmarshalJSON(&asJSON)
		require.NoError(t, err)
		require.NoError(t, s.Validate(document), name)
		var fromYAML any
		require.NoError(t, yaml.Unmarshal(asYAML.Bytes(), &fromYAML))
		assert.NoError(t, s.Validate(fromYAML), name)
	}
}

func TestWhatIsOutsideTheVocabularyDoesNotSatisfyTheSchema(t *testing.T) {
	s := compiled(t)
	var out bytes.Buffer
	require.NoError(t, reports.WriteJSON(&out, reports.Assemble(aRun(), allVerdicts(), ended())))
	for name, c := range map[string][2]string{
		"verdict":       {`"verdict": "failed"`, `"verdict": "fine"`},
		"unknown field": {`"seed": 42`, `"seed": 42, "by": "me"`},
		"wrong type":    {`"seed": 42`, `"seed": "42"`},
		"missing":       {`"id": "20260102-030405",`, ``},
	} {
		changed := strings.Replace(out.String(), c[0], c[1], 1)
		require.NotEqual(t, out.String(), changed, name)
		document, err := validator.UnmarshalJSON(strings.NewReader(changed))
		require.NoError(t, err)
		assert.Error(t, s.Validate(document), name)
	}
}
