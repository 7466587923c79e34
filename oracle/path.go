package oracle

import "strings"

// resolve is the path that a request target means, whoever reads it: escaped
// slashes are slashes, unreserved characters stand for themselves (RFC 3986,
// 6.2.2.2), backslashes are slashes, dot segments are gone and empty segments
// too. What two readers could take for different paths would otherwise be
// judged as one and served as the other.
//
// It decodes once. What is encoded twice stays as it is: nothing behind the
// gateway may decode it again.
func resolve(target string) string {
	path, _, _ := strings.Cut(target, "?")
	path = strings.ReplaceAll(unescape(path), `\`, "/")
	var kept []string
	segments := strings.Split(path, "/")
	for i, s := range segments {
		last := i == len(segments)-1
		// Servlet containers take "..;x" for "..": so must whoever guards them.
		if dots, _, is := strings.Cut(s, ";"); is && (dots == "." || dots == "..") {
			s = dots
		}
		switch {
		case s == ".." && len(kept) > 0:
			kept = kept[:len(kept)-1]
		case s == "." || s == "..":
		default:
			kept = append(kept, s)
			continue
		}
		if last {
			// "/a/b/.." is the folder "/a/" and not the file "/a".
			kept = append(kept, "")
		}
	}
	path = "/" + strings.Join(kept, "/")
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// unescape decodes unreserved characters, slashes and backslashes, and nothing
// else: other escapes are no part of any declared path.
func unescape(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if c, is := escaped(path[i:]); is && strings.IndexByte(decoded, c) >= 0 {
			b.WriteByte(c)
			i += 2
			continue
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

const decoded = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/\`

// escaped is the character that a text begins with in percent-encoding.
func escaped(text string) (byte, bool) {
	if len(text) < 3 || text[0] != '%' {
		return 0, false
	}
	high, first := digit(text[1])
	low, second := digit(text[2])
	return high<<4 | low, first && second
}

func digit(c byte) (byte, bool) {
	n := strings.IndexByte("0123456789abcdef", c|0x20)
	if '0' <= c && c <= '9' {
		n = int(c - '0')
	}
	if n < 0 {
		return 0, false
	}
	return byte(n), true
}
