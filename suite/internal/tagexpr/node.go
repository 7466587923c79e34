package tagexpr

import "strings"

// node is a parsed expression.
type node interface {
	eval(present map[string]bool) bool
	tags(seen []string) []string
	String() string
}

type (
	literal string
	inverse struct{ of node }
	both    struct{ left, right node }
	either  struct{ left, right node }
)

func (l literal) eval(present map[string]bool) bool { return present[string(l)] }
func (n inverse) eval(present map[string]bool) bool { return !n.of.eval(present) }
func (b both) eval(present map[string]bool) bool {
	return b.left.eval(present) && b.right.eval(present)
}
func (e either) eval(present map[string]bool) bool {
	return e.left.eval(present) || e.right.eval(present)
}

func (l literal) tags(seen []string) []string { return append(seen, string(l)) }
func (n inverse) tags(seen []string) []string { return n.of.tags(seen) }
func (b both) tags(seen []string) []string    { return b.right.tags(b.left.tags(seen)) }
func (e either) tags(seen []string) []string  { return e.right.tags(e.left.tags(seen)) }

func (l literal) String() string {
	var escaped strings.Builder
	for _, r := range string(l) {
		if escapable(r) {
			escaped.WriteByte('\\')
		}
		escaped.WriteRune(r)
	}
	return escaped.String()
}
func (n inverse) String() string { return "not ( " + n.of.String() + " )" }
func (b both) String() string    { return "( " + b.left.String() + " and " + b.right.String() + " )" }
func (e either) String() string  { return "( " + e.left.String() + " or " + e.right.String() + " )" }
