package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
	kjson "sigs.k8s.io/json"
)

// decode adds every document of data to the spec. All bad documents are
// reported together; a syntax error ends the file because nothing after it can
// be trusted.
func (s *Spec) decode(name string, data []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var bad []Problem
	for doc := 1; ; doc++ {
		var node yaml.Node
		err := dec.Decode(&node)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			bad = append(bad, Problem{Where: fmt.Sprintf("%s (document %d)", name, doc), Reason: oneLine(err)})
			break
		}
		if empty(&node) {
			continue
		}
		bad = append(bad, s.document(source{file: name, doc: doc, tree: &lineTree{node.Content[0]}}, node.Content[0])...)
	}
	if len(bad) > 0 {
		return &ValidationError{Problems: bad}
	}
	return nil
}

func empty(n *yaml.Node) bool {
	return len(n.Content) == 0 || n.Content[0].Kind == yaml.ScalarNode && n.Content[0].Tag == "!!null"
}

// document decodes one document and adds it to the spec.
func (s *Spec) document(src source, node *yaml.Node) []Problem {
	fail := func(field, reason string) []Problem {
		return []Problem{{Where: src.at(field), Field: field, Reason: reason}}
	}
	var tree any
	if err := node.Decode(&tree); err != nil {
		return fail("", oneLine(err))
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return fail("", "a declaration must be a mapping with text keys: "+oneLine(err))
	}
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       Kind   `json:"kind"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &head); err != nil {
		return fail("", oneLine(err))
	}
	if head.APIVersion != APIVersion {
		return fail("apiVersion", fmt.Sprintf("is %q; write %q", head.APIVersion, APIVersion))
	}
	return s.add(src, head.Kind, raw)
}

func (s *Spec) add(src source, kind Kind, raw []byte) []Problem {
	switch kind {
	case KindMesh:
		if s.Mesh.Kind != "" {
			return []Problem{{Where: src.at("kind"), Field: "kind",
				Reason: fmt.Sprintf("a second Mesh; %s is already this side's boundary, keep one", s.Mesh.Name)}}
		}
		return strict(src, raw, &s.Mesh, func() []Problem { return s.remember(src, key(kind, &s.Mesh)) })
	case KindPeer:
		return appendStrict(s, src, raw, &s.Peers)
	case KindExposure:
		return appendStrict(s, src, raw, &s.Exposures)
	case KindConsumption:
		return appendStrict(s, src, raw, &s.Consumptions)
	}
	return []Problem{{Where: src.at("kind"), Field: "kind",
		Reason: fmt.Sprintf("%q is unknown; known are Mesh, Peer, Exposure and Consumption", kind)}}
}

// strict decodes raw into v, refusing what v does not know, then calls done.
func strict(src source, raw []byte, v any, done func() []Problem) []Problem {
	unknown, err := kjson.UnmarshalStrict(raw, v)
	if err != nil {
		return []Problem{{Where: src.at(""), Reason: oneLine(err)}}
	}
	if len(unknown) == 0 {
		return done()
	}
	out := make([]Problem, 0, len(unknown))
	for _, e := range unknown {
		field := quoted(e.Error())
		out = append(out, Problem{Where: src.at(field), Field: field, Reason: oneLine(e)})
	}
	return out
}

func appendStrict[T any, P interface {
	*T
	declaration
}](s *Spec, src source, raw []byte, list *[]T) []Problem {
	var v T
	return strict(src, raw, &v, func() []Problem {
		bad := s.remember(src, key(P(&v).kind(), P(&v)))
		if len(bad) == 0 {
			*list = append(*list, v)
		}
		return bad
	})
}

// remember notes where a declaration stood; a second one of the same name would
// silently win or lose, so it is an error that points at both.
func (s *Spec) remember(src source, k Key) []Problem {
	if first, ok := s.sources[k]; ok {
		return []Problem{{Where: src.at("metadata.name"), Declaration: k.String(), Field: "metadata.name",
			Reason: "declared twice; first at " + first.at("metadata.name")}}
	}
	if s.sources == nil {
		s.sources = map[Key]source{}
	}
	s.sources[k] = src
	return nil
}

// quoted is the text between the first pair of double quotes: the field of a
// strict decoding error such as: unknown field "spec.servce".
func quoted(s string) string {
	if _, rest, ok := strings.Cut(s, `"`); ok {
		field, _, _ := strings.Cut(rest, `"`)
		return field
	}
	return ""
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
