package logfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 5000, time.UTC)

const stamp = "2026-01-02T12:00:00.000005Z"

func TestEntries(t *testing.T) {
	full := strings.Repeat("x", maxLine)
	for name, tc := range map[string]struct {
		writes []string
		want   string
	}{
		"a line":                  {[]string{"a\n"}, stamp + " stdout F a\n"},
		"an empty line":           {[]string{"\n"}, stamp + " stdout F \n"},
		"two lines at once":       {[]string{"a\nb\n"}, stamp + " stdout F a\n" + stamp + " stdout F b\n"},
		"a line in pieces":        {[]string{"a", "b", "c\n"}, stamp + " stdout F abc\n"},
		"no line break at all":    {[]string{"a"}, stamp + " stdout F a\n"},
		"nothing":                 {nil, ""},
		"exactly the longest":     {[]string{full + "\n"}, stamp + " stdout F " + full + "\n"},
		"one more":                {[]string{full + "y\n"}, stamp + " stdout P " + full + "\n" + stamp + " stdout F y\n"},
		"longest without break":   {[]string{full}, stamp + " stdout F " + full + "\n"},
		"twice the longest":       {[]string{full + full + "\n"}, stamp + " stdout P " + full + "\n" + stamp + " stdout F " + full + "\n"},
		"carriage returns remain": {[]string{"a\r\n"}, stamp + " stdout F a\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "made", "0.log")
			l, err := Open(path)
			require.NoError(t, err)
			w := l.Writer(Stdout)
			w.now = func() time.Time { return noon }
			for _, p := range tc.writes {
				n, err := w.Write([]byte(p))
				require.NoError(t, err)
				assert.Equal(t, len(p), n)
			}
			require.NoError(t, w.Close())
			require.NoError(t, l.Close())
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, tc.want, string(raw))
		})
	}
}

func TestAWriterDoesNotKeepTheCallersBuffer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "0.log")
	l, err := Open(path)
	require.NoError(t, err)
	w := l.Writer(Stderr)
	buf := []byte("kept")
	_, err = w.Write(buf)
	require.NoError(t, err)
	copy(buf, "lost")
	require.NoError(t, w.Close())
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(raw), " stderr F kept\n")
}

func TestALogThatCannotBeOpenedIsExplained(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := Open(filepath.Join(file, "0.log"))
	assert.ErrorContains(t, err, "open log")
}
