// Package evidence writes what explains a failed scenario while its state
// still stands: the objects, what the gateways were told, what they logged,
// and what the control plane believes. It never writes a Secret, and refuses
// to write anything in which a private key shows. It knows no engine.
package evidence

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/cluster"
)

// Collector takes evidence.
type Collector struct {
	// Clusters to look at.
	Clusters []cluster.Cluster
	// Since is when the scenario began: logs are taken from there on.
	Since time.Time
	// Namespaces are those whose pods' logs and whose objects are taken; none
	// means all. A report is published: on clusters that are somebody's, what
	// their other namespaces hold and say has no place in it.
	Namespaces []string
}

// places are where to list.
func (c Collector) places() []string {
	if len(c.Namespaces) == 0 {
		return []string{metav1.NamespaceAll}
	}
	return c.Namespaces
}

// item is one file of evidence and how to get its content.
type item struct {
	name string
	take func(ctx context.Context) ([]byte, error)
}

// Collect writes what can be had below dir and returns the names of the files,
// sorted. What cannot be had is in the error; it does not stop the rest.
func (c Collector) Collect(ctx context.Context, dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	var (
		all   errgroup.Group
		mu    sync.Mutex
		files []string
		errs  []error
	)
	note := func(name string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			return
		}
		files = append(files, name)
	}
	for _, one := range c.Clusters {
		items, err := c.items(one)
		if err != nil {
			note(one.Name(), err)
			continue
		}
		for _, i := range items {
			all.Go(func() error {
				note(i.name, write(ctx, dir, i))
				return nil
			})
		}
	}
	_ = all.Wait()
	note(joinedFile, writeJoined(dir, files))
	slices.Sort(files)
	return files, errors.Join(errs...)
}

// joinedFile holds the access-log lines of all gateways by request.
const joinedFile = "access-logs-by-request.txt"

func writeJoined(dir string, files []string) error {
	logs := map[string][]byte{}
	for _, name := range files {
		if proxy, is := strings.CutSuffix(name, logSuffix); is {
			content, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return err
			}
			logs[proxy] = content
		}
	}
	return Write(filepath.Join(dir, joinedFile), Join(logs))
}

func write(ctx context.Context, dir string, i item) error {
	content, err := i.take(ctx)
	if err != nil {
		return err
	}
	return Write(filepath.Join(dir, i.name), content)
}

// keyMarkers are in every PEM private key, plain or as base64 of its first
// line (a Secret's data, Envoy's inline bytes), whatever its kind.
func keyMarkers() []string {
	markers := []string{"PRIVATE KEY"}
	for _, kind := range []string{"PRIVATE ", "RSA PR", "EC PRI", "ENCRYP"} {
		whole := base64.StdEncoding.EncodeToString([]byte("-----BEGIN " + kind))
		// The last group depends on what follows.
		markers = append(markers, whole[:len(whole)-4])
	}
	return markers
}

// tokens are JSON web tokens, such as those of service accounts: whoever has
// one is somebody.
var tokens = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*`)

// Write writes one file of evidence, unless it holds a private key. Tokens in
// it are blotted out: an access log may hold one that somebody sent.
func Write(path string, content []byte) error {
	content = tokens.ReplaceAll(content, []byte("[token redacted]"))
	for _, marker := range keyMarkers() {
		if bytes.Contains(content, []byte(marker)) {
			return errors.New("not written: there is a private key in it")
		}
	}
	return os.WriteFile(path, content, 0o644)
}
