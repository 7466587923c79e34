package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// WriteJSON writes the report as indented JSON.
func WriteJSON(w io.Writer, r ConformanceReport) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write report as JSON: %w", err)
	}
	return nil
}

// WriteYAML writes the report as YAML: the same fields in the same order as
// the JSON, from which it is made, so that the two can never disagree.
func WriteYAML(w io.Writer, r ConformanceReport) error {
	var raw bytes.Buffer
	if err := WriteJSON(&raw, r); err != nil {
		return err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(raw.Bytes(), &document); err != nil {
		return fmt.Errorf("write report as YAML: %w", err)
	}
	toBlockStyle(&document)
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return fmt.Errorf("write report as YAML: %w", err)
	}
	return encoder.Close()
}

// toBlockStyle drops the flow style and the quotes that JSON syntax brings
// along. The encoder quotes again what would otherwise read as another type.
func toBlockStyle(n *yaml.Node) {
	n.Style = 0
	for _, child := range n.Content {
		toBlockStyle(child)
	}
}
