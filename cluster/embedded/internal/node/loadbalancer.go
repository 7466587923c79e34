package node

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// balanceLoad is the cluster's cloud: it gives each Service of type
// LoadBalancer an address of the pool, on the node's WAN interface, where
// kube-proxy answers for it. It must not choose which ports are open; that is
// kube-proxy's part.
func (n *node) balanceLoad(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	services := factory.Core().V1().Services()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	enqueue := func(obj any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(obj); err == nil {
			queue.Add(key)
		}
	}
	if _, err := services.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: enqueue, UpdateFunc: func(_, o any) { enqueue(o) }, DeleteFunc: enqueue,
	}); err != nil {
		return fmt.Errorf("load balancer: %w", err)
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	stop := context.AfterFunc(ctx, queue.ShutDown)
	defer stop()
	pool := newPool(n.plan.LoadBalancers)
	for {
		key, closed := queue.Get()
		if closed {
			return nil
		}
		if err := n.serveService(ctx, client, services.Informer().GetIndexer(), pool, key); err != nil {
			queue.AddRateLimited(key)
		} else {
			queue.Forget(key)
		}
		queue.Done(key)
	}
}

func (n *node) serveService(ctx context.Context, client kubernetes.Interface, store cache.Indexer, pool *pool, key string) error {
	obj, found, err := store.GetByKey(key)
	if err != nil {
		return err
	}
	if !found || obj.(*corev1.Service).Spec.Type != corev1.ServiceTypeLoadBalancer {
		pool.release(key)
		return nil
	}
	svc := obj.(*corev1.Service).DeepCopy()
	ip, err := pool.assign(key)
	if err != nil {
		return err
	}
	if err := addAddress(ip, 32); err != nil {
		return err
	}
	want := []corev1.LoadBalancerIngress{{IP: ip.String()}}
	if have := svc.Status.LoadBalancer.Ingress; len(have) == 1 && have[0].IP == want[0].IP {
		return nil
	}
	svc.Status.LoadBalancer.Ingress = want
	_, err = client.CoreV1().Services(svc.Namespace).UpdateStatus(ctx, svc, metav1.UpdateOptions{})
	return err
}

// pool hands out the addresses of a prefix. Used by one goroutine.
type pool struct {
	prefix netip.Prefix
	byKey  map[string]netip.Addr
	used   map[netip.Addr]bool
}

func newPool(p netip.Prefix) *pool {
	return &pool{prefix: p, byKey: map[string]netip.Addr{}, used: map[netip.Addr]bool{}}
}

func (p *pool) assign(key string) (netip.Addr, error) {
	if ip, ok := p.byKey[key]; ok {
		return ip, nil
	}
	for ip := p.prefix.Addr().Next(); p.prefix.Contains(ip); ip = ip.Next() {
		if !p.used[ip] {
			p.used[ip], p.byKey[key] = true, ip
			return ip, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("load balancer addresses: all of %s are in use", p.prefix)
}

func (p *pool) release(key string) {
	if ip, ok := p.byKey[key]; ok {
		delete(p.used, ip)
		delete(p.byKey, key)
	}
}
