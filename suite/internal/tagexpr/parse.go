package tagexpr

import (
	"fmt"
	"strings"
)

// maxDepth bounds nesting, so that no expression can exhaust the stack.
const maxDepth = 200

// parser is a recursive descent over the tokens; each method reads one level
// of precedence.
type parser struct {
	tokens []token
	next   int
	depth  int
	// end is the position reported when tokens run out.
	end int
}

func (p *parser) whole() (node, error) {
	n, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if t, more := p.peek(); more {
		if t.kind == closing {
			return nil, fmt.Errorf(`character %d: ")" without "("`, t.at)
		}
		return nil, fmt.Errorf(`character %d: %q: want "and", "or" or the end`, t.at, t.text)
	}
	return n, nil
}

func (p *parser) disjunction() (node, error) {
	return p.chain(or, p.conjunction, func(l, r node) node { return either{l, r} })
}

func (p *parser) conjunction() (node, error) {
	return p.chain(and, p.operand, func(l, r node) node { return both{l, r} })
}

func (p *parser) chain(operator kind, operand func() (node, error), join func(l, r node) node) (node, error) {
	left, err := operand()
	for err == nil && p.accept(operator) {
		var right node
		if right, err = operand(); err == nil {
			left = join(left, right)
		}
	}
	return left, err
}

func (p *parser) operand() (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("more than %d levels deep", maxDepth)
	}
	defer func() { p.depth-- }()
	t, more := p.peek()
	if !more {
		return nil, fmt.Errorf("character %d: the expression ends where a tag is wanted", p.end)
	}
	p.next++
	switch t.kind {
	case not:
		n, err := p.operand()
		return inverse{n}, err
	case open:
		return p.group(t)
	case tag:
		return name(t)
	}
	return nil, fmt.Errorf("character %d: %q: want a tag", t.at, t.text)
}

func (p *parser) group(opened token) (node, error) {
	n, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if !p.accept(closing) {
		if t, more := p.peek(); more {
			return nil, fmt.Errorf(`character %d: %q: want "and", "or" or ")"`, t.at, t.text)
		}
		return nil, fmt.Errorf(`character %d: "(" is never closed`, opened.at)
	}
	return n, nil
}

// name refuses words without "@": in a feature a tag always has one, so such a
// word can only select nothing.
func name(t token) (node, error) {
	if !strings.HasPrefix(t.text, "@") {
		return nil, fmt.Errorf(`character %d: %q: a tag starts with "@"%s`, t.at, t.text, hint(t.text))
	}
	if t.text == "@" {
		return nil, fmt.Errorf(`character %d: "@" without a name`, t.at)
	}
	return literal(t.text), nil
}

func hint(word string) string {
	mended := map[string]string{"&&": "and", "||": "or", "!": "not", "AND": "and", "OR": "or", "NOT": "not"}
	if operator, known := mended[word]; known {
		return fmt.Sprintf(" (did you mean %q?)", operator)
	}
	return ""
}

func (p *parser) peek() (token, bool) {
	if p.next == len(p.tokens) {
		return token{}, false
	}
	return p.tokens[p.next], true
}

func (p *parser) accept(k kind) bool {
	t, more := p.peek()
	if !more || t.kind != k {
		return false
	}
	p.next++
	return true
}
