package reports

import _ "embed"

// schema is generated out of the types; see TestTheSchemaIsThatOfTheTypes.
//
//go:embed schema/conformance-report-v1alpha1.schema.json
var schema []byte

// Schema is the JSON Schema (2020-12) of ConformanceReport, for those who read
// reports in other languages.
func Schema() []byte { return schema }
