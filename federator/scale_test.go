package federator

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/federator/api"
)

// The bounds of BenchmarkRender at its full size, on two cores.
const (
	maxRenderTime = 10 * time.Second
	maxMemory     = 1.5 * (1 << 30) // bytes of resident memory, the whole process
	maxGrowth     = 1.1             // exponent of time over services; 1 is linear
)

// The size: the boundary of one mesh in a federation of a hundred, with ten
// thousand services on it, half exposed to peers and half consumed from them.
const (
	federationSize = 100
	fullServices   = 10_000
)

// BenchmarkRender validates and renders one boundary at several sizes and fails
// beyond the bounds. The time that is bounded is the wall's. The growth is the
// slope of log(processor time) over log(services), fitted to the best of each
// size's runs: processor time is what the code costs, whatever else the machine
// does.
//
//	make bench-render
func BenchmarkRender(b *testing.B) {
	sizes := []int{fullServices / 16, fullServices / 8, fullServices / 4, fullServices / 2, fullServices}
	best, spent := make([]time.Duration, len(sizes)), make([]time.Duration, len(sizes))
	objects := 0
	for b.Loop() {
		for i, n := range sizes {
			spec := wide(n)
			// Between the runs, so that one does not pay for another's garbage.
			debug.FreeOSMemory()
			started, before := time.Now(), processorTime(b)
			out, err := Render(spec)
			took, used := time.Since(started), processorTime(b)-before
			require.NoError(b, err)
			if spent[i] == 0 || used < spent[i] {
				spent[i] = used
			}
			if objects = len(out); best[i] == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	full, growth, memory := best[len(best)-1], slope(sizes, spent), resident(b)
	b.ReportMetric(full.Seconds(), "s/render")
	b.ReportMetric(spent[len(spent)-1].Seconds(), "processor-s/render")
	b.ReportMetric(float64(objects), "objects")
	b.ReportMetric(growth, "growth-exponent")
	b.ReportMetric(memory/(1<<20), "MiB-resident")
	b.ReportMetric(float64(runtime.GOMAXPROCS(0)), "cores")
	for i, n := range sizes {
		b.Logf("%6d services, %d clusters: %s, %s of processor time", n, federationSize, best[i].Round(time.Millisecond), spent[i].Round(time.Millisecond))
	}
	require.LessOrEqual(b, full, maxRenderTime, "it used %s of processor time: if that is much less, the machine was busy", spent[len(spent)-1])
	require.LessOrEqual(b, memory, maxMemory)
	require.LessOrEqual(b, growth, maxGrowth)
}

// resident is the most memory that the process ever had, in bytes.
func resident(tb testing.TB) float64 {
	tb.Helper()
	var usage syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Maxrss) * 1024
}

// processorTime is what this process has used so far, in user and system mode.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// slope fits log(took) = k * log(size) + c by least squares and returns k.
func slope(sizes []int, took []time.Duration) float64 {
	var sx, sy, sxx, sxy float64
	n := float64(len(sizes))
	for i := range sizes {
		x, y := math.Log(float64(sizes[i])), math.Log(took[i].Seconds())
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

func TestTheGrowthExponentTellsLinearFromQuadratic(t *testing.T) {
	sizes := []int{1, 2, 4, 8}
	var linear, quadratic []time.Duration
	for _, n := range sizes {
		linear = append(linear, time.Duration(n)*time.Second)
		quadratic = append(quadratic, time.Duration(n*n)*time.Second)
	}
	require.InDelta(t, 1, slope(sizes, linear), 1e-9)
	require.InDelta(t, 2, slope(sizes, quadratic), 1e-9)
}

// wide is the wish of a boundary with services services and every peer of the
// federation. Each exposure is for three of the peers.
func wide(services int) Spec {
	gateway := func(name string) *api.Gateway {
		return &api.Gateway{Namespace: "gateways", Service: name, Selector: map[string]string{"istio": name}, Port: 15443, CredentialName: "certs"}
	}
	spec := Spec{}
	spec.Mesh.Name = "c0"
	spec.Mesh.Spec = api.MeshSpec{Host: "c0.example.com", Ingress: gateway("in"), Egress: gateway("out")}
	for i := 1; i < federationSize; i++ {
		host := fmt.Sprintf("c%d.example.com", i)
		p := api.Peer{Spec: api.PeerSpec{SNI: host, Address: &api.Address{Host: fmt.Sprintf("10.0.0.%d", i), Port: 15443},
			ClientIdentity: "spiffe://" + host + "/egress", ServerIdentity: "spiffe://" + host + "/ingress"}}
		p.Name = fmt.Sprintf("c%d", i)
		spec.Peers = append(spec.Peers, p)
	}
	for i := range services {
		namespace, name := fmt.Sprintf("n%d", i%100), fmt.Sprintf("s%d", i)
		peer := func(k int) string { return spec.Peers[(i+k)%len(spec.Peers)].Name }
		if i%2 == 0 {
			e := api.Exposure{Spec: api.ExposureSpec{Service: api.Service{Name: name, Port: 80}, Path: "/" + namespace + "/" + name + "/"}}
			e.Name, e.Namespace = name, namespace
			for k := range 3 {
				e.Spec.Consumers = append(e.Spec.Consumers, api.Consumer{Peer: peer(k), Methods: []string{"GET"}})
			}
			spec.Exposures = append(spec.Exposures, e)
			continue
		}
		c := api.Consumption{Spec: api.ConsumptionSpec{Service: api.Service{Name: name, Port: 80},
			From:   api.From{Peer: peer(0), Path: "/" + namespace + "/" + name + "/"},
			Routes: []api.Route{{To: []api.Destination{{Target: api.TargetRemote, Weight: 100}}}}}}
		c.Name, c.Namespace = name, namespace
		spec.Consumptions = append(spec.Consumptions, c)
	}
	return spec
}
