package reach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/meshfed/meshfed/cluster/workload"
	"github.com/meshfed/meshfed/fixtures"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/load"
)

const (
	// generator is the name of the Job's app and container.
	generator = "meshfed-load"
	// jobStart bounds how long its pod may take to run.
	jobStart = 60 * time.Second
	// jobRest is how long a Job that nobody has deleted stays.
	jobRest = int32(60)
)

// byJob runs a plan as a Job of a mesh, in a pod like that of sleep, so that
// neither the machine of the harness nor its connection to the cluster has a
// part in what is measured.
func byJob(ctx context.Context, m Mesh, plan load.Plan) (load.Result, error) {
	result, err := load.Exchange(ctx, plan, func(ctx context.Context, in io.Reader, out io.Writer) error {
		decoder := json.NewDecoder(in)
		var order json.RawMessage
		if err := decoder.Decode(&order); err != nil {
			return err
		}
		j := job{mesh: m, name: generator + "-" + strings.ToLower(plan.Targets[0].Nonce)}
		if err := j.start(ctx, string(order), plan.Duration()); err != nil {
			return err
		}
		// It is told to stop by its own end: kubelet gives it time to say what
		// it has measured.
		go func() {
			if load.AwaitStop(io.MultiReader(decoder.Buffered(), in)) {
				// If that fails, nobody hears of a result in time.
				_ = j.delete(ctx)
			}
		}()
		err := j.follow(ctx, out)
		if gone := j.delete(context.WithoutCancel(ctx)); err == nil {
			err = gone
		}
		return err
	})
	if err != nil {
		return result, fmt.Errorf("load by a job: %w", err)
	}
	return result, nil
}

type job struct {
	mesh Mesh
	name string
}

// start makes the Job out of the workload sleep: its image is one that the
// cluster has, and its account one that the mesh knows.
func (j job) start(ctx context.Context, plan string, lasts time.Duration) error {
	kube := j.mesh.Pods.Kube()
	model, err := kube.AppsV1().Deployments(metav1.NamespaceDefault).Get(ctx, "sleep", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("the workload that the job is made after: %w", err)
	}
	_, err = kube.BatchV1().Jobs(metav1.NamespaceDefault).Create(ctx, j.object(model, plan, lasts), metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create job %s: %w", j.name, err)
	}
	return nil
}

func (j job) object(model *appsv1.Deployment, plan string, lasts time.Duration) *batchv1.Job {
	labels := map[string]string{}
	for key, value := range model.Spec.Template.Labels {
		labels[key] = value
	}
	labels["app"], labels["job"] = generator, j.name
	pod := *model.Spec.Template.Spec.DeepCopy()
	pod.RestartPolicy = corev1.RestartPolicyNever
	pod.TerminationGracePeriodSeconds = ptr.To(int64(load.DefaultTimeout.Seconds()) + 2)
	pod.Containers = pod.Containers[:1]
	c := &pod.Containers[0]
	c.Name, c.Command, c.Args = generator, []string{fixtures.Binary, "load", "--plan", plan}, nil
	c.Ports, c.ReadinessProbe, c.LivenessProbe, c.StartupProbe = nil, nil, nil, nil
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: j.name, Namespace: metav1.NamespaceDefault, Labels: model.Labels},
		Spec: batchv1.JobSpec{
			BackoffLimit: ptr.To[int32](0), TTLSecondsAfterFinished: ptr.To(jobRest),
			ActiveDeadlineSeconds: ptr.To(int64((lasts + 2*jobStart).Seconds())),
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{
				// The plan must not be sent before there is somebody to send it.
				"proxy.istio.io/config": `{"holdApplicationUntilProxyStarts": true}`,
			}}, Spec: pod},
		},
	}
}

// follow copies what the generator says, until it ends.
func (j job) follow(ctx context.Context, out io.Writer) error {
	begun := time.Now()
	for {
		stream, err := j.log(ctx)
		if err == nil {
			defer stream.Close()
			_, err = io.Copy(out, stream)
			return err
		}
		if time.Since(begun) > jobStart {
			return fmt.Errorf("job %s: its pod does not run after %s; seen last: %w", j.name, jobStart, err)
		}
		if !traffic.Rest(ctx, pollJob) {
			return fmt.Errorf("job %s: %w; seen last: %w", j.name, context.Cause(ctx), err)
		}
	}
}

// pollJob is how often it is asked whether the pod says something.
const pollJob = 300 * time.Millisecond

func (j job) log(ctx context.Context) (io.ReadCloser, error) {
	pods, err := j.mesh.Pods.Pods(ctx, workload.Ref{Namespace: metav1.NamespaceDefault, Selector: "job=" + j.name})
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, errors.New("it has no pod yet")
	}
	return j.mesh.Pods.Kube().CoreV1().Pods(metav1.NamespaceDefault).
		GetLogs(pods[0].Name, &corev1.PodLogOptions{Container: generator, Follow: true}).Stream(ctx)
}

func (j job) delete(ctx context.Context) error {
	err := j.mesh.Pods.Kube().BatchV1().Jobs(metav1.NamespaceDefault).
		Delete(ctx, j.name, metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete job %s: %w", j.name, err)
	}
	return nil
}
