package tagexpr

import (
	"fmt"
	"strings"
	"unicode"
)

// kind of a token.
type kind int

const (
	tag kind = iota
	and
	or
	not
	open
	closing
)

// token is a word of the expression and where it starts, from 1.
type token struct {
	kind kind
	text string
	at   int
}

func scan(text string) ([]token, error) {
	var tokens []token
	runes := []rune(text)
	for i := 0; i < len(runes); {
		switch r := runes[i]; {
		case unicode.IsSpace(r):
			i++
		case r == '(':
			tokens = append(tokens, token{open, "(", i + 1})
			i++
		case r == ')':
			tokens = append(tokens, token{closing, ")", i + 1})
			i++
		default:
			t, next, err := scanWord(runes, i)
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, t)
			i = next
		}
	}
	return tokens, nil
}

// scanWord reads an operator or a tag. An escape makes the word a tag: "\not"
// is no operator, and no legal escape either.
func scanWord(runes []rune, from int) (token, int, error) {
	var word strings.Builder
	i := from
	for ; i < len(runes); i++ {
		r := runes[i]
		if unicode.IsSpace(r) || r == '(' || r == ')' {
			break
		}
		if r != '\\' {
			word.WriteRune(r)
			continue
		}
		i++
		if i == len(runes) || !escapable(runes[i]) {
			return token{}, 0, fmt.Errorf(`character %d: a backslash escapes only "(", ")", "\" or a blank`, i)
		}
		word.WriteRune(runes[i])
	}
	return classify(word.String(), from+1), i, nil
}

func escapable(r rune) bool { return r == '(' || r == ')' || r == '\\' || unicode.IsSpace(r) }

func classify(word string, at int) token {
	operators := map[string]kind{"and": and, "or": or, "not": not}
	if k, is := operators[word]; is {
		return token{k, word, at}
	}
	return token{tag, word, at}
}
