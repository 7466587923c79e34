package controller

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/crd"
)

// metrics are those of federation; the loop itself has controller-runtime's.
type metrics struct {
	declarations *prometheus.GaugeVec
	inForce      *prometheus.GaugeVec
	writes       prometheus.Counter
	failures     prometheus.Counter
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		declarations: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "federator_declarations",
			Help: "Declarations by kind and state (the reason of the condition Ready)."}, []string{"kind", "state"}),
		inForce: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "federator_in_force",
			Help: "Declarations in force, the deleted ones that are not yet withdrawn included."}, []string{"kind"}),
		writes: prometheus.NewCounter(prometheus.CounterOpts{Name: "federator_writes_total",
			Help: "Requests that changed the cluster, the inventory's included."}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "federator_failures_total",
			Help: "Reconciles that ended in an error of the cluster."}),
	}
	var errs []error
	for _, c := range m.all() {
		errs = append(errs, registry.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return m, nil
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.declarations, m.inForce, m.writes, m.failures}
}

// forget lets a second controller of one process, after this one, have its own.
func (m *metrics) forget(registry prometheus.Registerer) {
	for _, c := range m.all() {
		registry.Unregister(c)
	}
}

func (m *metrics) note(reports []report, c federator.Convergence, failed error) {
	m.declarations.Reset()
	for _, r := range reports {
		state := stateOf(*r.conditions, crd.Ready)
		m.declarations.WithLabelValues(kindOf(r), string(state.reason)).Inc()
	}
	m.writes.Add(float64(c.Writes))
	if failed != nil {
		m.failures.Inc()
	}
	if stopped(failed) != nil {
		return
	}
	m.inForce.WithLabelValues("Exposure").Set(float64(len(c.InForce.Exposures)))
	m.inForce.WithLabelValues("Consumption").Set(float64(len(c.InForce.Consumptions)))
}

func kindOf(r report) string {
	switch r.object.(type) {
	case *crd.Mesh:
		return "Mesh"
	case *crd.Peer:
		return "Peer"
	case *crd.Exposure:
		return "Exposure"
	}
	return "Consumption"
}
