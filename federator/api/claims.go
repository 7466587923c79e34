package api

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// claims are the public prefixes taken so far. Both directions of containment
// are looked up by name, so a wish of ten thousand exposures is checked in the
// time that its text takes.
type claims struct {
	// at is who has exactly this prefix, within who was first below it.
	at, within map[string]claim
}

// claim is an exposure and its place in the wish.
type claim struct {
	by    *Exposure
	place int
}

func newClaims(n int) *claims {
	return &claims{at: make(map[string]claim, n), within: make(map[string]claim, n)}
}

// take claims the prefix of e and refuses one that contains, or is contained in,
// an earlier one: which of two routes wins would then depend on their order, and
// a grant on the outer prefix would open the inner one. It names the first of
// those in the way.
func (c *claims) take(p *field.Path, e *Exposure) field.ErrorList {
	mine := claim{by: e, place: len(c.at)}
	path := e.Spec.Path
	first, taken := c.within[path]
	for outer := range outerPrefixes(path) {
		if other, is := c.at[outer]; is && (!taken || other.place < first.place) {
			first, taken = other, true
		}
		if _, is := c.within[outer]; !is {
			c.within[outer] = mine
		}
	}
	if _, is := c.at[path]; !is {
		c.at[path] = mine
	}
	if !taken {
		return nil
	}
	reason := fmt.Sprintf("overlaps %s of %s; choose prefixes of which none contains another", first.by.Spec.Path, first.by.Key())
	return field.ErrorList{field.Invalid(p, path, reason).WithOrigin(string(CausePathClaimed))}
}

// outerPrefixes are the prefixes of whole segments, the path itself included:
// of /a/b/ they are /, /a/ and /a/b/. A path without a last slash is refused for
// that; here it counts as what it would match.
func outerPrefixes(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(path) {
			if path[i] == '/' && !yield(path[:i+1]) {
				return
			}
		}
		if !strings.HasSuffix(path, "/") {
			yield(path)
		}
	}
}
