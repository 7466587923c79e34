package mutants

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/istio"
	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/engine/builtin"
)

// verb is Apply or Cancel of an engine.
type verb func(ctx context.Context, c cluster.Cluster, declarations string) error

// faultyEngine is the project's own engine with something in front of it.
type faultyEngine struct {
	engine.Engine
	// apply and cancel stand before the sound verbs; nil is the sound one.
	apply, cancel func(f *faultyEngine, sound verb) verb

	mu      sync.Mutex
	reached bool
	late    sync.WaitGroup
}

var _ Broken = (*faultyEngine)(nil)

// Apply implements engine.Engine.
func (f *faultyEngine) Apply(ctx context.Context, c cluster.Cluster, declarations string) error {
	return f.through(f.apply, f.Engine.Apply)(ctx, c, declarations)
}

// Cancel implements engine.Engine.
func (f *faultyEngine) Cancel(ctx context.Context, c cluster.Cluster, declarations string) error {
	return f.through(f.cancel, f.Engine.Cancel)(ctx, c, declarations)
}

func (f *faultyEngine) through(fault func(*faultyEngine, verb) verb, sound verb) verb {
	if fault == nil {
		return sound
	}
	f.mu.Lock()
	f.reached = true
	f.mu.Unlock()
	return fault(f, sound)
}

// InForce implements Broken.
func (f *faultyEngine) InForce() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reached
}

// Refused implements Broken: no cluster knows of the fault.
func (f *faultyEngine) Refused() error { return nil }

// Unsure implements Broken.
func (f *faultyEngine) Unsure() error { return nil }

// Settle implements Broken.
func (f *faultyEngine) Settle(ctx context.Context) error {
	done := make(chan struct{})
	go func() { f.late.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("a late write of the broken engine is still running: %w", context.Cause(ctx))
	}
}

// lateness is how long after its answer an engine still writes that answers too
// early: longer than the features give a withdrawal.
const lateness = 1500 * time.Millisecond

// lateLimit bounds what is written late.
const lateLimit = 20 * time.Second

// late answers first and works then.
func late(f *faultyEngine, sound verb) verb {
	return func(ctx context.Context, c cluster.Cluster, declarations string) error {
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateLimit)
		f.late.Go(func() {
			defer cancel()
			timer := time.NewTimer(lateness)
			defer timer.Stop()
			<-timer.C
			// Nobody is there to hear of an error; what is left shows it.
			_ = sound(own, c, declarations)
		})
		return nil
	}
}

// nothing answers that all is well.
func nothing(*faultyEngine, verb) verb {
	return func(context.Context, cluster.Cluster, string) error { return nil }
}

// swallowed keeps errors to itself.
func swallowed(_ *faultyEngine, sound verb) verb {
	return func(ctx context.Context, c cluster.Cluster, declarations string) error {
		_ = sound(ctx, c, declarations)
		return nil
	}
}

// mute keeps the reason of an error to itself.
func mute(_ *faultyEngine, sound verb) verb {
	return func(ctx context.Context, c cluster.Cluster, declarations string) error {
		if sound(ctx, c, declarations) != nil {
			return errors.New("it did not work")
		}
		return nil
	}
}

// rebuilding takes everything away before it applies, and puts it back after a
// refusal: in the end all is as it should be.
func rebuilding() func(f *faultyEngine, sound verb) verb {
	last := map[string]string{}
	return func(f *faultyEngine, sound verb) verb {
		return func(ctx context.Context, c cluster.Cluster, declarations string) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			before, was := last[c.Name()]
			if was {
				if err := f.Engine.Cancel(ctx, c, before); err != nil {
					return err
				}
			}
			err := sound(ctx, c, declarations)
			switch {
			case err == nil:
				last[c.Name()] = declarations
			case was:
				err = errors.Join(err, sound(ctx, c, before))
			}
			return err
		}
	}
}

// meddling also writes into the owner's own ConfigMap, where there is one.
func meddling(_ *faultyEngine, sound verb) verb {
	return afterwards(sound, func(ctx context.Context, config *rest.Config) error {
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return err
		}
		maps := client.CoreV1().ConfigMaps(istio.GatewayNamespace)
		notes, err := maps.Get(ctx, "notes", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		notes.Data["federated"] = "true"
		_, err = maps.Update(ctx, notes, metav1.UpdateOptions{})
		return err
	})
}

// raiding also deletes what is not the engine's: every VirtualService.
func raiding(_ *faultyEngine, sound verb) verb {
	return afterwards(sound, func(ctx context.Context, config *rest.Config) error {
		client, err := dynamic.NewForConfig(config)
		if err != nil {
			return err
		}
		routes := client.Resource(schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"})
		all, err := routes.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, one := range all.Items {
			if err := routes.Namespace(one.GetNamespace()).Delete(ctx, one.GetName(), metav1.DeleteOptions{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// afterwards does something else in the cluster once the sound verb has succeeded.
func afterwards(sound verb, also func(context.Context, *rest.Config) error) verb {
	return func(ctx context.Context, c cluster.Cluster, declarations string) error {
		if err := sound(ctx, c, declarations); err != nil {
			return err
		}
		config, err := cluster.RESTConfig(c)
		if err != nil {
			return err
		}
		return also(ctx, config)
	}
}

// faultyEngines are those whose objects are right.
func faultyEngines() []Mutant {
	const (
		cancelled = "expose/a-cancelled-exposure-is-gone"
		consumed  = "consume/after-a-cancel-the-reviews-are-local-again"
		hostile   = "import/a-peer-whose-sni-is-sni/1"
		cleaned   = "cleanup/everything-of-the-federation-is-gone-and-everything-else-is-as-it-was"
	)
	of := func(name string, make func() *faultyEngine, suspects ...string) Mutant {
		return Mutant{Name: name, Where: "engine", Engine: func() Broken {
			f := make()
			f.Engine = builtin.New("")
			return f
		}, Suspects: suspects}
	}
	return []Mutant{
		of("apply does nothing", func() *faultyEngine { return &faultyEngine{apply: nothing} }, "expose/reviews-v2-is-exposed-under-a-path-of-its-own"),
		of("cancel does nothing", func() *faultyEngine { return &faultyEngine{cancel: nothing} }, cancelled, consumed),
		of("cancel answers before it has written", func() *faultyEngine { return &faultyEngine{cancel: late} }, "revocation/the-exposure-is-cancelled", cancelled),
		of("apply answers before it has written", func() *faultyEngine { return &faultyEngine{apply: late} }, "access/a-grant-is-taken-away", "revocation/the-peer-is-taken-off-the-list"),
		of("errors of apply are swallowed", func() *faultyEngine { return &faultyEngine{apply: swallowed} }, hostile),
		of("reasons of apply's errors are swallowed", func() *faultyEngine { return &faultyEngine{apply: mute} }, hostile),
		of("apply deletes all it has made, then applies", func() *faultyEngine { return &faultyEngine{apply: rebuilding()} }, hostile, oneOfTwo),
		of("cancel deletes every route there is", func() *faultyEngine { return &faultyEngine{cancel: raiding} }, cleaned),
		of("apply writes into the owner's ConfigMap", func() *faultyEngine { return &faultyEngine{apply: meddling} }, cleaned),
	}
}
