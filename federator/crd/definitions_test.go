package crd_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/crd"
)

// resources are the Go types that the definitions must describe.
func resources() map[string]reflect.Type {
	return map[string]reflect.Type{
		"Mesh": reflect.TypeFor[crd.Mesh](), "Peer": reflect.TypeFor[crd.Peer](),
		"Exposure": reflect.TypeFor[crd.Exposure](), "Consumption": reflect.TypeFor[crd.Consumption](),
	}
}

func TestTheDefinitionsHaveExactlyTheFieldsOfTheTypes(t *testing.T) {
	definitions, err := crd.Definitions()
	require.NoError(t, err)
	require.Len(t, definitions, len(resources()))
	for _, d := range definitions {
		t.Run(d.Spec.Names.Kind, func(t *testing.T) {
			require.Len(t, d.Spec.Versions, 1)
			version := d.Spec.Versions[0]
			assert.Equal(t, api.APIVersion, d.Spec.Group+"/"+version.Name)
			assert.NotNil(t, version.Subresources.Status)
			typ, known := resources()[d.Spec.Names.Kind]
			require.True(t, known)
			compare(t, "", typ, *version.Schema.OpenAPIV3Schema)
		})
	}
}

// The command line decodes api's types, the API server the resources': both must
// be the same below spec.
func TestResourcesEmbedTheVerySpecOfTheDeclarations(t *testing.T) {
	declarations := map[string]reflect.Type{
		"Mesh": reflect.TypeFor[api.Mesh](), "Peer": reflect.TypeFor[api.Peer](),
		"Exposure": reflect.TypeFor[api.Exposure](), "Consumption": reflect.TypeFor[api.Consumption](),
	}
	for kind, resource := range resources() {
		mine, _ := resource.FieldByName("Spec")
		theirs, _ := declarations[kind].FieldByName("Spec")
		assert.Equal(t, theirs.Type, mine.Type, kind)
	}
}

func TestNothingIsPreservedThatTheTypesDoNotKnow(t *testing.T) {
	text, err := crd.Manifest()
	require.NoError(t, err)
	assert.NotContains(t, string(text), "preserve-unknown-fields")
	assert.Equal(t, 4, strings.Count(string(text), "kind: CustomResourceDefinition\n"))
}

func TestKubectlShowsPeerPathAndState(t *testing.T) {
	definitions, err := crd.Definitions()
	require.NoError(t, err)
	for _, d := range definitions {
		var columns []string
		for _, c := range d.Spec.Versions[0].AdditionalPrinterColumns {
			columns = append(columns, c.Name)
		}
		assert.Contains(t, columns, "State", d.Name)
		if d.Spec.Names.Kind == "Exposure" {
			assert.Subset(t, columns, []string{"Peers", "Path", "State"})
		}
	}
}

func TestReasonsAndConditionsAreFitForKubernetes(t *testing.T) {
	seen := map[crd.Reason]bool{}
	for _, r := range crd.Reasons() {
		assert.Regexp(t, `^[A-Z][A-Za-z]+$`, string(r))
		assert.False(t, seen[r], "%s stands twice", r)
		seen[r] = true
	}
	assert.Equal(t, []crd.ConditionType{crd.Accepted, crd.Programmed, crd.Ready}, crd.ConditionTypes())
}

// compare walks a type and its schema together.
func compare(t *testing.T, at string, typ reflect.Type, schema apiextensions.JSONSchemaProps) {
	t.Helper()
	switch typ.Kind() {
	case reflect.Pointer:
		compare(t, at, typ.Elem(), schema)
	case reflect.Slice:
		require.Equal(t, "array", schema.Type, at)
		assert.NotNil(t, schema.XListType, "%s: without a list type the API server cannot merge it", at)
		compare(t, at+"[]", typ.Elem(), *schema.Items.Schema)
	case reflect.Map:
		require.NotNil(t, schema.AdditionalProperties, at)
		compare(t, at+"{}", typ.Elem(), *schema.AdditionalProperties.Schema)
	case reflect.Struct:
		compareFields(t, at, typ, schema)
	case reflect.String:
		assert.Equal(t, "string", schema.Type, at)
	case reflect.Int32:
		assert.Equal(t, "integer", schema.Type, at)
	default:
		t.Errorf("%s: no rule for %s", at, typ)
	}
}

func compareFields(t *testing.T, at string, typ reflect.Type, schema apiextensions.JSONSchemaProps) {
	t.Helper()
	// What Kubernetes describes for itself is the generator's business.
	if typ == reflect.TypeFor[metav1.ObjectMeta]() || typ == reflect.TypeFor[metav1.Condition]() {
		return
	}
	require.Equal(t, "object", schema.Type, at)
	properties, required := fields(typ)
	for name, field := range properties {
		property, described := schema.Properties[name]
		if assert.True(t, described, "%s.%s is not in the definition; run go generate", at, name) {
			compare(t, at+"."+name, field, property)
		}
	}
	for name := range schema.Properties {
		assert.Contains(t, properties, name, "%s: the definition has a field that the type lacks; run go generate", at)
	}
	slices.Sort(required)
	got := slices.Clone(schema.Required)
	slices.Sort(got)
	assert.Equal(t, required, got, at)
}

// fields are the JSON fields of a struct, those of inlined structs included, and
// the names of those that must be there.
func fields(typ reflect.Type) (properties map[string]reflect.Type, required []string) {
	properties = map[string]reflect.Type{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if options == "inline" {
			inner, must := fields(f.Type)
			for n, of := range inner {
				properties[n] = of
			}
			required = append(required, must...)
			continue
		}
		properties[name] = f.Type
		if !strings.Contains(options, "omit") {
			required = append(required, name)
		}
	}
	return properties, required
}
