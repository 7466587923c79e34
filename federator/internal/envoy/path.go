package envoy

import (
	"slices"
	"strings"
)

// Normalise is the path as Envoy judges and passes it on, by the settings of a
// chain. The query stays as it is.
func Normalise(path string, h HTTP) string {
	path, query, asked := strings.Cut(path, "?")
	if slices.Contains([]string{"UNESCAPE_AND_FORWARD", "UNESCAPE_AND_REDIRECT"}, h.EscapedSlashes) {
		path = strings.NewReplacer("%2f", "/", "%2F", "/", "%5c", `\`, "%5C", `\`).Replace(path)
	}
	if h.NormalizePath {
		path = canonical(path)
	}
	if h.MergeSlashes {
		for strings.Contains(path, "//") {
			path = strings.ReplaceAll(path, "//", "/")
		}
	}
	if asked {
		path += "?" + query
	}
	return path
}

// canonical turns backslashes, decodes what needs no escape, and resolves the
// segments of dots.
func canonical(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '\\' {
			c = '/'
		}
		if c == '%' && i+2 < len(path) {
			if d, ok := unreserved(path[i+1], path[i+2]); ok {
				b.WriteByte(d)
				i += 2
				continue
			}
		}
		b.WriteByte(c)
	}
	var out []string
	parts := strings.Split(b.String(), "/")
	for i, part := range parts {
		last := i == len(parts)-1
		switch part {
		case ".", "..":
			if part == ".." && len(out) > 1 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, part)
		}
	}
	return strings.Join(out, "/")
}

func unreserved(high, low byte) (byte, bool) {
	h, l := strings.IndexByte(hexDigits, lower(high)), strings.IndexByte(hexDigits, lower(low))
	if h < 0 || l < 0 {
		return 0, false
	}
	c := byte(h<<4 | l)
	ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
	return c, ok
}

const hexDigits = "0123456789abcdef"

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
