package publish_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports/publish"
)

// FuzzVerify: a signed run in which a byte of the manifest, the envelope or the
// journal is another is never taken for the one that was signed, whether the
// verifier was given the key or takes the one that is named.
func FuzzVerify(f *testing.F) {
	f.Add(uint8(0), uint(10), []byte("x"))
	f.Add(uint8(1), uint(0), []byte("{}"))
	f.Add(uint8(2), uint(1<<20), []byte("\n"))
	f.Fuzz(func(t *testing.T, which uint8, at uint, with []byte) {
		folder := play(t)
		private, public := key(t)
		require.NoError(t, publish.Seal(t.Context(), folder, private))
		files := []string{publish.ManifestFile, publish.EnvelopeFile, filepath.Base(folder.Journal())}
		path := filepath.Join(folder.Path, files[int(which)%len(files)])
		was, err := os.ReadFile(path)
		require.NoError(t, err)
		now := bytes.Clone(was)
		from := int(at % uint(len(was)+1))
		now = append(now[:from], append(bytes.Clone(with), was[min(from+len(with), len(was)):]...)...)
		require.NoError(t, os.WriteFile(path, now, 0o644))
		_, err = publish.Verify(t.Context(), folder.Path, public)
		if bytes.Equal(was, now) {
			require.NoError(t, err)
			return
		}
		require.Error(t, err, "%s has changed", path)
		_, err = publish.Verify(t.Context(), folder.Path, nil)
		require.Error(t, err, "%s has changed", path)
	})
}
