package envoy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Attempt is the last use of a cluster, by the gateway's own access log. The zero
// value is one that nobody knows of.
type Attempt struct {
	// At is when, as the log spells it.
	At string
	// Reason is why no connection came about; empty if one did.
	Reason string
}

// Failed says that no connection came about.
func (a Attempt) Failed() bool { return a.Reason != "" }

func (a Attempt) String() string {
	if a.Failed() {
		return fmt.Sprintf("the last attempt, at %s, failed: %s", a.At, a.Reason)
	}
	return "the last request was answered, at " + a.At
}

// layer is where the attempt failed. A peer that does not serve a name ends the
// connection when it has read that name, without a word.
func (a Attempt) layer() Layer {
	said := strings.ReplaceAll(strings.ToLower(a.Reason), " ", "_")
	switch {
	case strings.Contains(said, "unrecognized_name"):
		return LayerSNI
	case !strings.Contains(said, "tls_error") && !strings.Contains(said, "certificate"):
		return LayerAddress
	case strings.Contains(said, "connection_reset_by_peer"):
		return LayerSNI
	}
	return LayerHandshake
}

// Count adds to the addresses what Envoy has counted and judged of them, by the
// answer of its /clusters?format=json.
func (c Config) Count(raw []byte) error {
	var answer struct {
		Clusters []struct {
			Name  string `json:"name"`
			Hosts []struct {
				Address struct {
					Socket struct {
						Address string `json:"address"`
						Port    int    `json:"port_value"`
					} `json:"socket_address"`
				} `json:"address"`
				Stats []struct {
					Name  string `json:"name"`
					Value string `json:"value"`
				} `json:"stats"`
				Health struct {
					Active  bool `json:"failed_active_health_check"`
					Outlier bool `json:"failed_outlier_check"`
				} `json:"health_status"`
			} `json:"host_statuses"`
		} `json:"cluster_statuses"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("read the clusters of Envoy: %w", err)
	}
	for _, counted := range answer.Clusters {
		known := c.Clusters[counted.Name].Endpoints
		for _, host := range counted.Hosts {
			address := net.JoinHostPort(host.Address.Socket.Address, strconv.Itoa(host.Address.Socket.Port))
			for i := range known {
				if known[i].Address != address {
					continue
				}
				known[i].Counted = true
				known[i].Healthy = known[i].Healthy && !host.Health.Active && !host.Health.Outlier
				for _, s := range host.Stats {
					n, _ := strconv.Atoi(s.Value) // a counter that has not counted has no value
					switch s.Name {
					case "cx_total":
						known[i].Connections = n
					case "cx_connect_fail":
						known[i].Failed = n
					}
				}
			}
		}
	}
	return nil
}

// Hear takes the last attempt at each cluster from an access log, in Istio's JSON
// or text. Of a line only what Envoy itself has to say counts: a caller chooses the
// path. If Envoy has begun no connection for a cluster, the lines are about an earlier
// cluster of the same name, and do not count.
func (c Config) Hear(log []byte) {
	for raw := range bytes.Lines(log) {
		cluster, attempt := heard(raw)
		if known, is := c.Clusters[cluster]; is && !known.untried() {
			known.Last = attempt
			c.Clusters[cluster] = known
		}
	}
}

func (c Cluster) untried() bool {
	return len(c.Endpoints) > 0 && !slices.ContainsFunc(c.Endpoints, func(e Endpoint) bool { return !e.Counted || e.Connections > 0 })
}

var (
	// textLine is Istio's default format: time, request, code, flags, details, why a
	// connection was ended, why one failed; and after two quoted ones the cluster.
	textLine = regexp.MustCompile(`^\[([^\]]+)\] "[^"]*" \d+ (\S+) (\S+) \S+ "([^"]*)" .* (outbound\|\S+) \S+ \S+ \S+ \S+ \S+$`)
	// connecting is in the details of a response that never began.
	connecting = regexp.MustCompile(`\{remote_connection_failure\|?(.*)\}`)
)

func heard(raw []byte) (cluster string, a Attempt) {
	var l struct {
		At      string `json:"start_time"`
		Cluster string `json:"upstream_cluster"`
		Flags   string `json:"response_flags"`
		Details string `json:"response_code_details"`
		Failure string `json:"upstream_transport_failure_reason"`
	}
	if m := textLine.FindSubmatch(bytes.TrimSpace(raw)); m != nil {
		l.At, l.Flags, l.Details, l.Failure, l.Cluster = string(m[1]), string(m[2]), string(m[3]), string(m[4]), string(m[5])
	} else if json.Unmarshal(raw, &l) != nil {
		return "", Attempt{}
	}
	a.At = l.At
	flags := "," + l.Flags + ","
	switch {
	case strings.Contains(flags, ",UF,"):
		if m := connecting.FindStringSubmatch(l.Details); m != nil {
			l.Details = m[1]
		}
		a.Reason = cmp.Or(strings.Trim(l.Failure, "-"), l.Details, "the connection failed")
	case strings.Contains(flags, ",UH,"):
		a.Reason = "no address is healthy"
	}
	return l.Cluster, a
}
