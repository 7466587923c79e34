package why

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/suite/bench/internal/accesslog"
	"github.com/meshfed/meshfed/traffic"
)

// asked is how the requests of a scenario are written down.
var asked = regexp.MustCompile(`^(?:[0-9:.]+ )?(.*) \[nonce (\S+)\]: (.*)$`)

// nearby is how far apart what two clusters write about one connection may be.
const nearby = 3 * time.Second

// lookBack is how many of the last failed requests are tried: the logs of the
// very last ones may not have been written yet when they were taken.
const lookBack = 20

// failure is a request of a scenario that was not answered.
type failure struct{ request, nonce string }

// FromEvidence judges the last request of a scenario that was not answered, by
// what was kept of it: dir holds its requests and the logs of all proxies. It
// returns the request, too.
func FromEvidence(dir, egressGateway string) (steps.Diagnosis, string, error) {
	requests, err := os.ReadFile(filepath.Join(dir, "requests.txt"))
	if err != nil {
		return steps.Diagnosis{}, "", fmt.Errorf("why: %w; did the scenario ask anything?", err)
	}
	failed := failures(requests)
	if len(failed) == 0 {
		return steps.Diagnosis{}, "", fmt.Errorf("why: every request in %s was answered: what failed is no request", filepath.Join(dir, "requests.txt"))
	}
	logs, err := read(dir)
	if err != nil {
		return steps.Diagnosis{}, "", fmt.Errorf("why: %w", err)
	}
	chosen := failed[len(failed)-1]
	for _, f := range slices.Backward(failed[max(0, len(failed)-lookBack):]) {
		if way(logs, f.nonce, egressGateway).Complete() {
			chosen = f
			break
		}
	}
	return way(logs, chosen.nonce, egressGateway).Judge(), chosen.request, nil
}

// read are the logs in a folder of evidence, by the names of their files.
func read(dir string) (map[string][]byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*log*.txt"))
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, file := range files {
		if out[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// way is what the logs say about one request.
func way(logs map[string][]byte, nonce, egressGateway string) Way {
	w := Way{EgressGateway: egressGateway}
	for _, name := range slices.Sorted(maps.Keys(logs)) {
		switch {
		case strings.HasSuffix(name, "-pod-logs.txt"):
			w.Sidecar = append(w.Sidecar, outbound(logs[name], nonce, egressGateway)...)
		case strings.HasSuffix(name, egressGateway+"-log.txt"):
			w.Egress = append(w.Egress, Lines(logs[name], nonce)...)
		case strings.HasSuffix(name, "-log.txt"):
			w.Ingress = append(w.Ingress, Lines(logs[name], nonce)...)
		}
	}
	w.narrow()
	return w
}

// failures are the requests that were sent and not answered, in order.
func failures(requests []byte) []failure {
	var out []failure
	for line := range bytes.Lines(requests) {
		m := asked.FindStringSubmatch(strings.TrimSpace(string(line)))
		if m != nil && !strings.HasPrefix(m[3], string(traffic.Allowed)) && !strings.HasPrefix(m[3], "not sent") {
			out = append(out, failure{m[1] + ": " + m[3], m[2]})
		}
	}
	return out
}

// outbound are the lines of sidecars about what their workloads have sent; those
// that leave the mesh come last, for they are the ones that matter.
func outbound(podLogs []byte, nonce, egressGateway string) []accesslog.Line {
	var home, away []accesslog.Line
	for section := range bytes.SplitSeq(podLogs, []byte("--- ")) {
		head, text, _ := bytes.Cut(section, []byte("\n"))
		if !bytes.Contains(head, []byte(" istio-proxy (")) || bytes.Contains(head, []byte("gateway")) {
			continue
		}
		for _, l := range Lines(text, nonce) {
			switch {
			case l.Path == "" || strings.HasPrefix(l.Cluster, "inbound|"):
			case strings.Contains(l.Cluster, egressGateway):
				away = append(away, l)
			default:
				home = append(home, l)
			}
		}
	}
	return append(home, away...)
}

// narrow leaves out connections of other requests of the scenario.
func (w *Way) narrow() {
	out, said := request(w.Egress)
	w.Ingress = slices.DeleteFunc(w.Ingress, func(l accesslog.Line) bool {
		return l.Path == "" && (!said || l.Start.Sub(out.Start).Abs() > nearby)
	})
}
