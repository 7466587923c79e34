package toolchain

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// keyLength is enough of a sha256 to tell the handful of versions that one
// machine ever keeps.
const keyLength = 12

// keyOf hashes parts so that no two lists of parts run into each other.
func keyOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))[:keyLength]
}

// key is what the set's programs depend on: the modules (their sums stand in
// go.sum), the flags, the compiler and the processor; for the fixtures, which
// are this tree's own, also their source.
func (s set) key(source string, compiler golang, arch string) (string, error) {
	parts := append([]string{compiler.version, arch}, s.packages()...)
	parts = append(parts, s.flags()...)
	for _, name := range []string{"go.mod", "go.sum"} {
		raw, err := os.ReadFile(filepath.Join(s.module(source), name))
		if err != nil {
			return "", fmt.Errorf("tools: %s: %w", s.name, err)
		}
		parts = append(parts, string(raw))
	}
	if s.dir == "." {
		own, err := ownSource(source, s.packages())
		if err != nil {
			return "", fmt.Errorf("tools: %s: %w", s.name, err)
		}
		parts = append(parts, own)
	}
	return keyOf(parts...), nil
}
