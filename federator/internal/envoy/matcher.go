package envoy

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Kind is how a matcher compares. The set is closed.
type Kind string

// The kinds.
const (
	Exact    Kind = "exact"
	Prefix   Kind = "prefix"
	Suffix   Kind = "suffix"
	Contains Kind = "contains"
	Regex    Kind = "regex"
	// Present asks only whether there is something.
	Present Kind = "present"
	// Unread is a matcher that is not understood; it is kept as its text.
	Unread Kind = "unread"
)

// Matcher compares a text.
type Matcher struct {
	Kind  Kind
	Value string
	// Fold says that upper and lower case are the same.
	Fold bool
}

func (m Matcher) String() string {
	text := string(m.Kind) + " " + m.Value
	if m.Fold {
		text += " (any case)"
	}
	return text
}

// matcher reads Envoy's StringMatcher; what is none is Unread.
func matcher(raw json.RawMessage) Matcher {
	var s struct {
		Exact    *string `json:"exact"`
		Prefix   *string `json:"prefix"`
		Suffix   *string `json:"suffix"`
		Contains *string `json:"contains"`
		Regex    *struct {
			Regex string `json:"regex"`
		} `json:"safe_regex"`
		Fold bool `json:"ignore_case"`
	}
	if err := json.Unmarshal(raw, &s); err == nil {
		switch {
		case s.Exact != nil:
			return Matcher{Exact, *s.Exact, s.Fold}
		case s.Prefix != nil:
			return Matcher{Prefix, *s.Prefix, s.Fold}
		case s.Suffix != nil:
			return Matcher{Suffix, *s.Suffix, s.Fold}
		case s.Contains != nil:
			return Matcher{Contains, *s.Contains, s.Fold}
		case s.Regex != nil:
			return Matcher{Regex, s.Regex.Regex, false}
		}
	}
	return Matcher{Kind: Unread, Value: string(raw)}
}

// Matches says whether a text fits, and whether that can be said at all.
func (m Matcher) Matches(text string) (fits, known bool) {
	value := m.Value
	if m.Fold {
		text, value = strings.ToLower(text), strings.ToLower(value)
	}
	switch m.Kind {
	case Exact:
		return text == value, true
	case Prefix:
		return strings.HasPrefix(text, value), true
	case Suffix:
		return strings.HasSuffix(text, value), true
	case Contains:
		return strings.Contains(text, value), true
	case Present:
		return text != "", true
	case Regex:
		// Envoy matches the whole text.
		re, err := regexp.Compile("^(?:" + value + ")$")
		if err != nil {
			return false, false
		}
		return re.MatchString(text), true
	}
	return false, false
}

// Implies says whether every text that fits m also fits other. It may say no
// where it cannot tell.
func (m Matcher) Implies(other Matcher) bool {
	if m == other {
		return m.Kind != Unread
	}
	if m.Fold && !other.Fold {
		return false
	}
	value, want := m.Value, other.Value
	if other.Fold {
		value, want = strings.ToLower(value), strings.ToLower(want)
	}
	switch other.Kind {
	case Present:
		return (m.Kind == Exact || m.Kind == Prefix || m.Kind == Suffix || m.Kind == Contains) && m.Value != ""
	case Exact:
		return m.Kind == Exact && value == want
	case Prefix:
		return (m.Kind == Exact || m.Kind == Prefix) && strings.HasPrefix(value, want)
	case Suffix:
		return (m.Kind == Exact || m.Kind == Suffix) && strings.HasSuffix(value, want)
	case Contains:
		return m.Kind != Regex && m.Kind != Unread && strings.Contains(value, want)
	case Regex:
		fits, known := other.Matches(m.Value)
		return m.Kind == Exact && !m.Fold && known && fits
	}
	return false
}
