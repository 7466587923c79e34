package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/meshfed/meshfed/cluster/internal/command"
	"github.com/meshfed/meshfed/cluster/internal/progress"
)

// fetchTries is how often the modules of a set are asked for when the network
// seems to be at fault. What was downloaded is kept, so a retry goes on where
// the last one stopped.
const fetchTries = 3

// builder builds one set.
type builder struct {
	host   host
	config Config
	golang golang
	set    set
}

// build puts the set's programs and extras into dir.
func (b builder) build(ctx context.Context, dir string) error {
	work, err := b.fetch(ctx)
	if err != nil {
		return err
	}
	if err := b.checkDisk(work.fraction()); err != nil {
		return err
	}
	if err := b.compile(ctx, dir, work); err != nil {
		return err
	}
	for _, p := range b.set.programs {
		if p.builtAs == string(p.tool) {
			continue
		}
		if err := os.Rename(filepath.Join(dir, p.builtAs), filepath.Join(dir, string(p.tool))); err != nil {
			return fmt.Errorf("tools: %s: %w", b.set.name, err)
		}
	}
	return b.copyExtras(ctx, dir)
}

// workload is how many packages the set has and how many are not in the build
// cache.
type workload struct{ total, stale int }

func (w workload) fraction() float64 {
	if w.total == 0 {
		return 1
	}
	return float64(w.stale) / float64(w.total)
}

// fetch downloads what the set is built from and finds out what is left to
// compile.
func (b builder) fetch(ctx context.Context) (w workload, err error) {
	task := b.config.Progress.Begin(progress.Step{Title: fmt.Sprintf("fetching the modules of %s", b.set.name)})
	defer func() { task.End(err) }()
	argv := append([]string{"go", "list", "-deps", "-f", "{{.Stale}}"}, b.set.flags()...)
	c := b.command(append(argv, b.set.packages()...)...)
	downloads := 0
	c.Line = func(line string) {
		if strings.HasPrefix(line, "go: downloading ") {
			downloads++
			task.Advance(downloads, 0)
		}
	}
	out, err := b.host.run(ctx, c)
	for try := 1; try < fetchTries && networkFault(err); try++ {
		out, err = b.host.run(ctx, c)
	}
	if err != nil {
		return w, fmt.Errorf("tools: %s cannot be fetched: %w", b.set.name, err)
	}
	return workload{total: strings.Count(out, "\n"), stale: strings.Count(out, "true\n")}, nil
}

// compile runs go build; -v makes it name each package that it compiles.
func (b builder) compile(ctx context.Context, dir string, w workload) (err error) {
	task := b.config.Progress.Begin(progress.Step{
		Title:    b.title(),
		Estimate: b.set.estimate(w.fraction(), b.host.cores),
	})
	defer func() { task.End(err) }()
	var done atomic.Int32
	argv := append([]string{"go", "build", "-v"}, b.set.flags()...)
	argv = append(argv, "-o", dir+string(filepath.Separator))
	c := b.command(append(argv, b.set.packages()...)...)
	c.Line = func(line string) {
		if !strings.ContainsAny(line, " #") {
			task.Advance(int(done.Add(1)), w.stale)
		}
	}
	if _, err := b.host.run(ctx, c); err != nil {
		return fmt.Errorf("tools: %s cannot be built: %w", b.set.name, err)
	}
	return nil
}

// title fits on one line of a terminal together with a bar.
func (b builder) title() string {
	if n := len(b.set.programs); n > 1 {
		return fmt.Sprintf("building %s (%d programs)", b.set.name, n)
	}
	return fmt.Sprintf("building %s", b.set.programs[0].tool)
}

func (b builder) command(argv ...string) command.Command {
	return command.Command{Argv: argv, Dir: b.set.module(b.config.SourceDir), Env: goEnv(b.host)}
}

// checkDisk says before the compiler starts that it would run out of space:
// its own word on it comes minutes later and names a temporary file.
func (b builder) checkDisk(fraction float64) error {
	scratch := int64(fraction * float64(b.set.scratch))
	for path, need := range map[string]int64{b.golang.cache: scratch + b.set.size, b.config.CacheDir: b.set.size} {
		free, err := b.host.free(path)
		if err != nil {
			return fmt.Errorf("tools: %s: %w", b.set.name, err)
		}
		if free < need {
			return fmt.Errorf("tools: %s: building it takes about %d MB in %s, where %d MB are free: make room, or set GOCACHE and XDG_CACHE_HOME to another disk",
				b.set.name, need/mb, path, free/mb)
		}
	}
	return nil
}

// copyExtras takes the files of dependencies that the programs need at hand.
// They are copied since a module cache may be cleaned at any time.
func (b builder) copyExtras(ctx context.Context, dir string) error {
	for _, x := range b.set.extras {
		module, err := b.host.run(ctx, b.command("go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", x.module))
		if err != nil {
			return fmt.Errorf("tools: %s: %w", b.set.name, err)
		}
		from := filepath.Join(strings.TrimSpace(module), filepath.FromSlash(x.path))
		if err := copyExtra(from, filepath.Join(dir, x.as)); err != nil {
			return fmt.Errorf("tools: %s: %w", b.set.name, err)
		}
	}
	return nil
}

func copyExtra(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	return copyFile(from, to, 0o644)
}

func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	return writeFile(in, to, mode)
}

func writeFile(in io.Reader, to string, mode os.FileMode) error {
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// networkFault says whether the go command failed for a reason that may pass.
// The go command has no exit code for it, so its words have to do.
func networkFault(err error) bool {
	var f *command.Failure
	if !errors.As(err, &f) {
		return false
	}
	said := strings.Join(f.Tail, "\n")
	for _, sign := range []string{
		"dial tcp", "i/o timeout", "TLS handshake timeout", "connection reset", "unexpected EOF",
		"502 Bad Gateway", "503 Service", "504 Gateway", "500 Internal", "429 Too Many",
	} {
		if strings.Contains(said, sign) {
			return true
		}
	}
	return false
}
