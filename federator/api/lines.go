package api

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// lineTree finds the line of a field path in a YAML document. A nil tree knows
// no lines and answers 0.
type lineTree struct{ root *yaml.Node }

// line returns the line of path, or of its nearest parent that exists.
func (t *lineTree) line(path string) int {
	if t == nil || t.root == nil {
		return 0
	}
	node, line := t.root, t.root.Line
	for _, step := range splitPath(path) {
		next, at := child(node, step)
		if next == nil {
			break
		}
		node, line = next, at
	}
	return line
}

// splitPath cuts spec.consumers[0].peer into spec, consumers, 0, peer.
func splitPath(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

// child is the node below step and the line where it is named: that of the key
// for a mapping, because the value of an empty key has a line of its own.
func child(n *yaml.Node, step string) (*yaml.Node, int) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1], n.Content[i].Line
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], n.Content[i].Line
		}
	}
	return nil, 0
}
