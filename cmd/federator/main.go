// Command federator connects an Istio mesh with its peers: it validates, renders,
// plans, applies and cancels the declarations of one cluster.
//
// Exit codes: 0 done; 1 an error; 2 there is a difference (plan --exit-code,
// diff, verify, explain); 3 a conflict: another owner holds an object or a field,
// no inventory lists objects of this mesh, or a controller keeps this cluster; 4 invalid
// declarations; 5 the cluster is not ready (preflight).
package main

import (
	"context"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"github.com/meshfed/meshfed/cmd/internal/interrupt"
)

func main() {
	ctx, release := interrupt.Context(context.Background())
	defer release()
	// The Kubernetes client logs what it also returns as an error; one of the two
	// is enough, and the error is the one with the story.
	klog.SetLogger(logr.Discard())
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
