package cachedir_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster/internal/cachedir"
)

func entry(root, key string) cachedir.Entry {
	return cachedir.Entry{Root: root, Name: "thing", Key: key}
}

func fill(_ context.Context, dir string) error {
	return os.WriteFile(filepath.Join(dir, "content"), []byte("x"), 0o644)
}

// names are the visible entries below root.
func names(t *testing.T, root string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(root, "[^.]*"))
	require.NoError(t, err)
	for i := range list {
		list[i] = filepath.Base(list[i])
	}
	return list
}

func TestAnEntryIsFilledOnce(t *testing.T) {
	root := filepath.Join(t.TempDir(), "deep", "root")
	calls := 0
	for range 3 {
		dir, err := cachedir.Make(t.Context(), entry(root, "abc"), nil, func(ctx context.Context, dir string) error {
			calls++
			return fill(ctx, dir)
		})
		require.NoError(t, err)
		assert.FileExists(t, filepath.Join(dir, "content"))
	}
	assert.Equal(t, 1, calls)
	assert.Equal(t, []string{"thing-abc"}, names(t, root))
}

func TestAFailedFillLeavesNothing(t *testing.T) {
	root := t.TempDir()
	boom := errors.New("boom")
	_, err := cachedir.Make(t.Context(), entry(root, "abc"), nil, func(ctx context.Context, dir string) error {
		_ = fill(ctx, dir)
		return boom
	})
	require.ErrorIs(t, err, boom)
	assert.Empty(t, names(t, root))
	assert.NoDirExists(t, filepath.Join(root, ".thing.half"))
}

func TestAContextThatEndsWhileFillingLeavesNothing(t *testing.T) {
	root := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := cachedir.Make(ctx, entry(root, "abc"), nil, func(ctx context.Context, dir string) error {
		cancel()
		return fill(ctx, dir)
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, names(t, root))
}

func TestWhatAKilledRunLeftHalfMadeIsReplaced(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, ".thing.half", "rubbish"), 0o755))
	dir, err := cachedir.Make(t.Context(), entry(root, "abc"), nil, fill)
	require.NoError(t, err)
	assert.NoDirExists(t, filepath.Join(dir, "rubbish"))
}

func TestConcurrentRunsFillOnceAndTheOthersSayThatTheyWait(t *testing.T) {
	root := t.TempDir()
	var fills, waits atomic.Int32
	waiting := make(chan struct{}, 8)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := cachedir.Make(t.Context(), entry(root, "abc"), func() { waits.Add(1); waiting <- struct{}{} },
				func(ctx context.Context, dir string) error {
					fills.Add(1)
					<-waiting
					return fill(ctx, dir)
				})
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, fills.Load())
	assert.GreaterOrEqual(t, waits.Load(), int32(1))
}

func TestWaitingForAnotherRunEndsWithTheContext(t *testing.T) {
	root := t.TempDir()
	held, release := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		_, err := cachedir.Make(t.Context(), entry(root, "abc"), nil, func(ctx context.Context, dir string) error {
			close(held)
			<-release
			return fill(ctx, dir)
		})
		done <- err
	}()
	<-held
	ctx, cancel := context.WithCancel(t.Context())
	_, err := cachedir.Make(ctx, entry(root, "abc"), cancel, fill)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "another run")
	close(release)
	require.NoError(t, <-done)
}

func TestEntriesOfOtherKeysAreSweptOnlyWhenLongUnused(t *testing.T) {
	root := t.TempDir()
	long := time.Now().Add(-15 * 24 * time.Hour)
	for name, when := range map[string]time.Time{
		"thing-01": long, "thing-02": time.Now(), "thing-else-01": long, "other-01": long,
	} {
		require.NoError(t, os.Mkdir(filepath.Join(root, name), 0o755))
		require.NoError(t, os.Chtimes(filepath.Join(root, name), when, when))
	}
	_, err := cachedir.Make(t.Context(), entry(root, "03"), nil, fill)
	require.NoError(t, err)
	assert.Equal(t, []string{"other-01", "thing-02", "thing-03", "thing-else-01"}, names(t, root))
}

func TestARootThatCannotBeMadeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := cachedir.Make(t.Context(), entry(file, "abc"), nil, fill)
	assert.ErrorContains(t, err, file)
}
