package suite

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
)

// featuresDigest is over the feature files in the order of their names; each
// is preceded by its name and length, so that no text can pass from one file
// to the next unseen.
func featuresDigest(features fs.FS) (string, error) {
	files, err := fs.Glob(features, "*.feature")
	if err != nil {
		return "", fmt.Errorf("list features: %w", err)
	}
	sum := sha256.New()
	for _, file := range files {
		content, err := fs.ReadFile(features, file)
		if err != nil {
			return "", fmt.Errorf("read feature: %w", err)
		}
		fmt.Fprintf(sum, "%s %d\n", file, len(content))
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
