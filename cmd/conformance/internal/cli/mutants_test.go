package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/reports"
)

func TestHuntsAndOrdersRefuseBadInputBeforeTheyTouchALab(t *testing.T) {
	torn := filepath.Join(t.TempDir(), "torn.json")
	require.NoError(t, os.WriteFile(torn, []byte("{"), 0o600))
	full := filepath.Join(t.TempDir(), "full.json")
	require.NoError(t, os.WriteFile(full, []byte(`{"full": true}`), 0o600))
	other := filepath.Join(t.TempDir(), "other.json")
	require.NoError(t, os.WriteFile(other, []byte(`[{"seed": 7, "suite": "v0.0.9"}]`), 0o600))
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no expression":       {[]string{"mutants", "--only", "("}, "--only"},
		"nobody of that name": {[]string{"mutants", "--only", "nobody is called so"}, "no mutant has such a name"},
		"nothing to resume":   {[]string{"mutants", "--resume", "--results", "absent.json"}, "--resume"},
		"no earlier results":  {[]string{"mutants", "--surviving", "--results", torn}, "--surviving: want --resume"},
		"half of a full hunt": {[]string{"mutants", "--resume", "--results", full}, full + " is of a hunt with --full"},
		"torn results":        {[]string{"mutants", "--resume", "--results", torn}, torn},
		"no orders":           {[]string{"false-alarms", "--orders", "0"}, "--orders 0"},
		"no seed":             {[]string{"false-alarms", "--first", "0"}, "--first 0"},
		"nothing to add to":   {[]string{"false-alarms", "--more", "--results", torn}, "--more"},
		"another version's":   {[]string{"false-alarms", "--more", "--results", other}, `order 7 is of conformance "v0.0.9"`},
		"an unknown engine":   {[]string{"false-alarms", "--engine", "x"}, "--engine"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := Program{}.Main(c.args, &out, &errs)
			assert.Equal(t, reports.ExitUsage, code, errs.String())
			assert.Contains(t, errs.String(), c.want)
		})
	}
}

func TestWhatIsWrittenIsWholeOrNotThere(t *testing.T) {
	name := filepath.Join(t.TempDir(), "folder", "file")
	require.NoError(t, writeFile(name, func(w io.Writer) error { _, err := w.Write([]byte("one")); return err }))
	require.Error(t, writeFile(name, func(w io.Writer) error { _, _ = w.Write([]byte("half")); return os.ErrInvalid }))
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "one", string(content))
	entries, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing half is left")
}

func TestTheBurnerBurnsUntilItIsStopped(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	spin(ctx)
	assert.Less(t, time.Since(start), 10*time.Second)
}

func TestOrdersThatThereWasNoTimeForAreNotAlike(t *testing.T) {
	all, err := Program{}.inOrders(nil, alarmFlags{orders: 3, first: 7}, nil, nil)
	assert.Empty(t, all)
	assert.ErrorContains(t, err, "3 orders to go: --more --first 7 --orders 3 goes on")
}
