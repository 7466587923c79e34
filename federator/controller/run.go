package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/meshfed/meshfed/federator"
	"github.com/meshfed/meshfed/federator/crd"
)

// Name is the controller's, in leases, events and logs.
const Name = "federator"

// The lease outlasts a restart of the API server: a leader that cannot renew for some
// seconds is still the leader. It is no longer than that needs, because the successor
// of a Pod that has vanished must wait until the lease has run out. Nobody waits for an
// instance that ends in good order, which gives its lease back, nor for a container
// that is killed: it takes the lease up again by its identity.
const (
	leaseDuration = 20 * time.Second
	renewDeadline = 15 * time.Second
	retryPeriod   = 2 * time.Second
)

// Run works on the cluster of cfg until ctx ends, which is no error.
func Run(ctx context.Context, cfg *rest.Config, o Options) error {
	o, err := o.complete()
	if err != nil {
		return err
	}
	engine, err := federator.New(cfg, federator.WithoutSecrets())
	if err != nil {
		return err
	}
	if o, err = o.asked(ctx, cfg); err != nil {
		return err
	}
	own, options, err := managerSettings(cfg, o)
	if err != nil {
		return err
	}
	m, err := manager.New(own, options)
	if err != nil {
		return fmt.Errorf("controller: %w", err)
	}
	if err := errors.Join(m.AddHealthzCheck("alive", healthz.Ping), m.AddReadyzCheck("synced", synced(m.GetCache()))); err != nil {
		return fmt.Errorf("controller: %w", err)
	}
	metrics, err := newMetrics(crmetrics.Registry)
	if err != nil {
		return err
	}
	defer metrics.forget(crmetrics.Registry)
	r := &reconciler{options: o, client: m.GetClient(), engine: engine, events: m.GetEventRecorder(Name), metrics: metrics}
	if err := watch(m, o, r); err != nil {
		return fmt.Errorf("controller: %w", err)
	}
	if err := m.Start(ctx); err != nil {
		return fmt.Errorf("controller: %w", err)
	}
	return nil
}

// managerSettings are the config and the options of the manager. Its client, too, has
// no rate limit of its own: by client-go's default a hundred statuses would hold up
// the next withdrawal for 18 seconds.
func managerSettings(cfg *rest.Config, o Options) (*rest.Config, manager.Options, error) {
	own := rest.CopyConfig(cfg)
	own.QPS, own.Burst = -1, 0
	options, err := managerOptions(own, o)
	return own, options, err
}

func managerOptions(cfg *rest.Config, o Options) (manager.Options, error) {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return manager.Options{}, fmt.Errorf("controller: %w", err)
	}
	if err := crd.AddToScheme(scheme); err != nil {
		return manager.Options{}, fmt.Errorf("controller: %w", err)
	}
	out := manager.Options{
		Scheme: scheme, Logger: o.Log, Cache: cacheOptions(o),
		Metrics:                metricsserver.Options{BindAddress: orOff(o.MetricsAddress)},
		HealthProbeBindAddress: orOff(o.ProbeAddress),
	}
	if !o.LeaderElection {
		return out, nil
	}
	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, o.Namespace, Name,
		resourcelock.ResourceLockConfig{Identity: o.Identity}, cfg, renewDeadline)
	if err != nil {
		return manager.Options{}, fmt.Errorf("controller: lease %s/%s: %w", o.Namespace, Name, err)
	}
	out.LeaderElection, out.LeaderElectionResourceLockInterface = true, lock
	out.LeaderElectionReleaseOnCancel = true
	out.LeaseDuration, out.RenewDeadline, out.RetryPeriod = ptr.To(leaseDuration), ptr.To(renewDeadline), ptr.To(retryPeriod)
	return out, nil
}

// orOff turns "nowhere" into the manager's word for it.
func orOff(address string) string {
	if address == "" {
		return "0"
	}
	return address
}
