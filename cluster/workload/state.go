package workload

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Ready says whether the pod serves: its Ready condition holds and it is not
// being deleted (a terminating pod keeps the condition for a while).
func Ready(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// RolledOut says whether every replica is of the latest template and
// available, and none of an older one is left.
func RolledOut(d *appsv1.Deployment) bool {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	s := d.Status
	return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == want && s.AvailableReplicas == want && s.Replicas == want
}

// Describe says in one line what a pod is doing: its phase, and for every
// container that is not ready why it waits or how it ended.
func Describe(pod *corev1.Pod) string {
	var parts []string
	if pod.DeletionTimestamp != nil {
		parts = append(parts, "terminating")
	}
	for _, s := range pod.Status.InitContainerStatuses {
		if s.State.Terminated == nil || s.State.Terminated.ExitCode != 0 {
			parts = append(parts, "init container "+describeContainer(s))
		}
	}
	for _, s := range pod.Status.ContainerStatuses {
		if !s.Ready {
			parts = append(parts, "container "+describeContainer(s))
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status != corev1.ConditionTrue {
			parts = append(parts, fmt.Sprintf("not scheduled (%s: %s)", c.Reason, c.Message))
		}
	}
	line := fmt.Sprintf("%s %s", pod.Name, pod.Status.Phase)
	if Ready(pod) {
		line += ", ready"
	}
	return strings.Join(append([]string{line}, parts...), "; ")
}

func describeContainer(s corev1.ContainerStatus) string {
	var state string
	switch {
	case s.State.Waiting != nil:
		state = "waiting: " + reason(s.State.Waiting.Reason, s.State.Waiting.Message)
	case s.State.Terminated != nil:
		state = ended(s.State.Terminated)
	case s.State.Running != nil:
		state = "running, not ready"
	default:
		state = "of unknown state"
	}
	if last := s.LastTerminationState.Terminated; last != nil {
		state += ", before that " + ended(last)
	}
	if s.RestartCount > 0 {
		state += fmt.Sprintf(", %d restarts", s.RestartCount)
	}
	return s.Name + " " + state
}

func ended(t *corev1.ContainerStateTerminated) string {
	return fmt.Sprintf("ended with exit code %d (%s)", t.ExitCode, reason(t.Reason, t.Message))
}

func reason(reason, message string) string {
	if message == "" {
		return reason
	}
	return reason + ": " + strings.TrimSpace(message)
}

func describeAll(pods []corev1.Pod) string {
	if len(pods) == 0 {
		return "there are no pods"
	}
	var lines []string
	for i := range pods {
		lines = append(lines, Describe(&pods[i]))
	}
	return strings.Join(lines, " | ")
}
