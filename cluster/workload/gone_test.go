package workload

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAWorkloadIsGoneWhenItsLastPodIsAndNotWhileOneTerminates(t *testing.T) {
	p := pod("reviews-x", ready, terminating)
	c := clientOf(&p)
	ref := Ref{Namespace: "ns", Selector: "app=reviews"}
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := c.WaitGone(short, ref)
	require.ErrorContains(t, err, "reviews-x")
	time.AfterFunc(10*time.Millisecond, func() {
		_ = c.kube.CoreV1().Pods("ns").Delete(context.Background(), "reviews-x", metav1.DeleteOptions{})
	})
	require.NoError(t, c.WaitGone(t.Context(), ref))
	require.NoError(t, c.WaitGone(t.Context(), ref), "nothing there is gone already")
	require.ErrorContains(t, c.WaitGone(t.Context(), Ref{Namespace: "ns"}), "selector")
}
