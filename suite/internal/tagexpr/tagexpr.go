// Package tagexpr parses Cucumber tag expressions: tags joined by and, or, not
// and parentheses ("@core and not (@slow or @extended)").
//
// It exists because godog reads another, older syntax and silently selects
// nothing when it is given the standard one. The grammar is that of the
// Cucumber tag-expressions reference: not binds tighter than and, and tighter
// than or; a backslash escapes a parenthesis, a backslash or a blank inside a
// tag. It knows nothing of features.
package tagexpr

import "fmt"

// Expression decides whether a set of tags is selected. The zero value, like
// the empty expression, selects everything.
type Expression struct {
	root node
}

// Parse reads an expression. The error says what was met where, counted in
// characters from 1.
func Parse(text string) (Expression, error) {
	tokens, err := scan(text)
	if err != nil {
		return Expression{}, fmt.Errorf("tag expression %q: %w", text, err)
	}
	if len(tokens) == 0 {
		return Expression{}, nil
	}
	p := parser{tokens: tokens, end: len([]rune(text)) + 1}
	root, err := p.whole()
	if err != nil {
		return Expression{}, fmt.Errorf("tag expression %q: %w", text, err)
	}
	return Expression{root: root}, nil
}

// Matches says whether a scenario with these tags is selected.
func (e Expression) Matches(tags []string) bool {
	if e.root == nil {
		return true
	}
	present := make(map[string]bool, len(tags))
	for _, t := range tags {
		present[t] = true
	}
	return e.root.eval(present)
}

// Tags are the tags the expression names, in order of appearance, so that one
// that exists in no feature can be reported as the typing error it is.
func (e Expression) Tags() []string {
	if e.root == nil {
		return nil
	}
	return e.root.tags(nil)
}

// String is the expression fully parenthesised; it parses to the same meaning.
func (e Expression) String() string {
	if e.root == nil {
		return ""
	}
	return e.root.String()
}
