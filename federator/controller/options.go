package controller

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Options say what a controller looks after.
type Options struct {
	// Namespace is its own: its lease is there. Required.
	Namespace string
	// GatewayNamespace holds the private gateways and the inventory. Required; a
	// Mesh that names another one is not accepted.
	GatewayNamespace string
	// RootNamespace is Istio's. Empty: istio-system.
	RootNamespace string
	// MeshConfig is the name of istiod's ConfigMap there. Empty: istio.
	MeshConfig string
	// Namespaces are those whose declarations count. Empty: all.
	Namespaces []string
	// Identity of this instance in the lease. One that stays the same over a
	// restart takes its lease up again at once. Required with LeaderElection.
	Identity string
	// LeaderElection lets several instances stand by; without it there must be one.
	LeaderElection bool
	// MetricsAddress and ProbeAddress are where metrics and health are served
	// (":8080"). Empty: not at all.
	MetricsAddress, ProbeAddress string
	// Resync is how long the controller rests at most when nothing wakes it. Zero:
	// DefaultResync.
	Resync time.Duration
	// Log is where it tells what it does. The zero value discards.
	Log logr.Logger

	// unwatched are those of Namespaces in which a right is missing; see watchable.
	unwatched []string
}

// DefaultResync bounds how long a change can stay unseen that no watch shows,
// such as an inventory deleted by hand.
const DefaultResync = 10 * time.Minute

// complete fills in the defaults and refuses what cannot work.
func (o Options) complete() (Options, error) {
	if o.RootNamespace == "" {
		o.RootNamespace = "istio-system"
	}
	if o.MeshConfig == "" {
		o.MeshConfig = "istio"
	}
	if o.Resync == 0 {
		o.Resync = DefaultResync
	}
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	for field, value := range map[string]string{
		"namespace": o.Namespace, "gateway namespace": o.GatewayNamespace, "root namespace": o.RootNamespace,
	} {
		if bad := validation.IsDNS1123Label(value); len(bad) > 0 {
			return o, fmt.Errorf("controller: the %s %q is no name of a namespace: %s", field, value, bad[0])
		}
	}
	for _, n := range o.Namespaces {
		if bad := validation.IsDNS1123Label(n); len(bad) > 0 {
			return o, fmt.Errorf("controller: the namespace %q of declarations: %s", n, bad[0])
		}
	}
	if o.LeaderElection && o.Identity == "" {
		return o, errors.New("controller: leader election needs an identity")
	}
	return o, nil
}

// manages says whether declarations of a namespace count.
func (o Options) manages(namespace string) bool {
	return len(o.Namespaces) == 0 || slices.Contains(o.Namespaces, namespace)
}
