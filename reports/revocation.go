package reports

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Connection is which connections a revocation was timed on.
type Connection string

// The kinds. A revocation that only stops new connections is half of one.
const (
	// NewConnection: one handshake per request.
	NewConnection Connection = "new"
	// ResumedConnection: one handshake per request, with a ticket of an earlier
	// one, which a server may take without looking at the certificate again.
	ResumedConnection Connection = "resumed"
	// NoResumption: the same at a server that gives no ticket or takes none, so that
	// each connection was a new one.
	NoResumption Connection = "noResumption"
	// IdleHTTP1: one that was open before and is used first after the bound.
	IdleHTTP1 Connection = "idleHTTP1"
	// LiveHTTP2: one that was open before the revocation and multiplexes.
	LiveHTTP2 Connection = "liveHTTP2"
	// LiveHTTP1: a keep-alive connection opened before the revocation.
	LiveHTTP1 Connection = "liveHTTP1"
	// OpenStream: an answer that had begun before and had not ended.
	OpenStream Connection = "openStream"
	// LiveTCP: an opaque stream opened before.
	LiveTCP Connection = "liveTCP"
)

// RevocationFigure is how long, after the API server took a revocation, the
// last request was still accepted. All times are in milliseconds; 0 means
// that none was accepted after.
type RevocationFigure struct {
	// Way of revoking: "cancel of the exposure", "peer removed".
	Way        string     `json:"way"`
	Connection Connection `json:"connection"`
	N          int        `json:"n"`
	P50Millis  float64    `json:"p50Millis"`
	P99Millis  float64    `json:"p99Millis"`
	MaxMillis  float64    `json:"maxMillis"`
	// BoundMillis is what the maximum must not exceed.
	BoundMillis float64 `json:"boundMillis"`
	// ProbeIntervalMillis is how often it was tried: the resolution.
	ProbeIntervalMillis float64 `json:"probeIntervalMillis,omitempty"`
	// SamplesMillis are the single times in the order of the trials.
	SamplesMillis []float64 `json:"samplesMillis"`
	// AcknowledgedMillis is how long it took, in each trial, from the moment at
	// which the engine was asked until it said that the API server had accepted:
	// who waits until all is in force before it says so would have no time to
	// show. None if that was not measured.
	AcknowledgedMillis []float64 `json:"acknowledgedMillis,omitempty"`
}

// acknowledging is how much longer than the bound it may take if the time that the
// engine needs is counted, in milliseconds.
const acknowledging = 2000

// Revocation makes the figure out of its samples, in milliseconds.
func Revocation(way string, kind Connection, bound float64, samples []float64) RevocationFigure {
	f := RevocationFigure{Way: way, Connection: kind, N: len(samples), BoundMillis: bound, SamplesMillis: slices.Clone(samples)}
	f.P50Millis, f.P99Millis, f.MaxMillis = Quantile(samples, 0.5), Quantile(samples, 0.99), Quantile(samples, 1)
	return f
}

// Quantile is the nearest-rank quantile: always one of the samples, and with
// few of them the largest. It is 0 of none.
func Quantile(samples []float64, q float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(samples))
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

func (f RevocationFigure) lines() []string { return []string{f.line()} }

func (f RevocationFigure) addTo(all *Figures) { all.Revocations = append(all.Revocations, f) }

func (f RevocationFigure) validate() error {
	known := []Connection{NewConnection, ResumedConnection, NoResumption, IdleHTTP1, LiveHTTP2, LiveHTTP1, OpenStream, LiveTCP}
	if !slices.Contains(known, f.Connection) {
		return fmt.Errorf("revocation by %s: connection %q: want one of %v", f.Way, f.Connection, known)
	}
	if f.N == 0 || f.BoundMillis <= 0 {
		return fmt.Errorf("revocation by %s: %d samples and a bound of %v ms decide nothing", f.Way, f.N, f.BoundMillis)
	}
	again := Revocation(f.Way, f.Connection, f.BoundMillis, f.SamplesMillis)
	if again.N != f.N || again.P50Millis != f.P50Millis || again.P99Millis != f.P99Millis || again.MaxMillis != f.MaxMillis {
		return fmt.Errorf("revocation by %s: n and quantiles are not those of its samples", f.Way)
	}
	if len(f.AcknowledgedMillis) > 0 && len(f.AcknowledgedMillis) != f.N {
		return fmt.Errorf("revocation by %s: %d trials, and %d times until it was accepted", f.Way, f.N, len(f.AcknowledgedMillis))
	}
	if slices.Min(slices.Concat(f.SamplesMillis, f.AcknowledgedMillis)) < 0 {
		return errors.New("revocation by " + f.Way + ": a time below zero")
	}
	return nil
}

// Holds says whether no sample took longer than the bound, nor much longer from the
// moment on at which the engine was asked.
func (f RevocationFigure) Holds() error {
	if f.MaxMillis <= f.BoundMillis {
		return f.acknowledgedSoon()
	}
	return fmt.Errorf("revocation by %s on %s connections: a request was accepted %.0f ms after it, at most %.0f ms are allowed (n %d, p50 %.0f ms, p99 %.0f ms)",
		f.Way, f.Connection, f.MaxMillis, f.BoundMillis, f.N, f.P50Millis, f.P99Millis)
}

func (f RevocationFigure) acknowledgedSoon() error {
	for i, took := range f.AcknowledgedMillis[:min(len(f.AcknowledgedMillis), len(f.SamplesMillis))] {
		if all := took + f.SamplesMillis[i]; all > f.BoundMillis+acknowledging {
			return fmt.Errorf("revocation by %s on %s connections: it was over %.0f ms after the engine was asked, which took %.0f ms of them to say that the API server had accepted; at most %.0f ms are allowed",
				f.Way, f.Connection, all, took, f.BoundMillis+acknowledging)
		}
	}
	return nil
}

func (f RevocationFigure) line() string {
	text := fmt.Sprintf("revocation by %s, %s connections: last accepted after p50 %.0f ms, p99 %.0f ms, max %.0f ms (n %d, bound %.0f ms)",
		f.Way, f.Connection, f.P50Millis, f.P99Millis, f.MaxMillis, f.N, f.BoundMillis)
	if most := f.MostAcknowledgedMillis(); most > 0 {
		text += fmt.Sprintf("; accepted by the API server at most %.0f ms after the engine was asked", most)
	}
	return text
}

// MostAcknowledgedMillis is the longest of AcknowledgedMillis; 0 if there are none.
func (f RevocationFigure) MostAcknowledgedMillis() float64 { return Quantile(f.AcknowledgedMillis, 1) }

// RevocationsTogether are the figures of several attempts, one for each way, kind
// of connection and bound, with the samples of all of them.
func RevocationsTogether(all []RevocationFigure) []RevocationFigure {
	var sums []RevocationFigure
	for _, one := range all {
		i := slices.IndexFunc(sums, func(f RevocationFigure) bool {
			return f.Way == one.Way && f.Connection == one.Connection && f.BoundMillis == one.BoundMillis
		})
		if i < 0 {
			sums = append(sums, one)
			continue
		}
		before := sums[i]
		sums[i] = Revocation(one.Way, one.Connection, one.BoundMillis, slices.Concat(before.SamplesMillis, one.SamplesMillis))
		sums[i].ProbeIntervalMillis = before.ProbeIntervalMillis
		// Reports of earlier versions do not have it.
		if len(before.AcknowledgedMillis) > 0 && len(one.AcknowledgedMillis) > 0 {
			sums[i].AcknowledgedMillis = slices.Concat(before.AcknowledgedMillis, one.AcknowledgedMillis)
		}
	}
	return sums
}

// PoolRevocations are the figures of several runs together, those of known gaps by
// themselves.
func PoolRevocations(runs []ConformanceReport) (judged, gaps []RevocationFigure) {
	for _, r := range runs {
		for _, s := range r.Scenarios {
			if s.Verdict == KnownGap {
				gaps = append(gaps, s.Figures.Revocations...)
			} else {
				judged = append(judged, s.Figures.Revocations...)
			}
		}
	}
	return RevocationsTogether(judged), RevocationsTogether(gaps)
}
