package admin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// maxAnswer bounds one answer: a gateway of ten thousand services says some
// fifty megabytes.
const maxAnswer = 1 << 30

// Forward reaches ports of pods through the API server.
type Forward struct{ config *rest.Config }

// NewForward makes one for the cluster of cfg. It does not contact it.
func NewForward(cfg *rest.Config) *Forward { return &Forward{rest.CopyConfig(cfg)} }

// Get asks a port that is open inside a pod, by HTTP. The connection is a stream
// to the API server and never a local port, on which others could listen in.
//
// It returns when ctx ends, whatever the other side does: neither an upgrade nor
// the making of a stream knows of a context, and a stream waits for half a minute.
func (f *Forward) Get(ctx context.Context, namespace, pod string, port int, path string) ([]byte, error) {
	type result struct {
		body []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		body, err := f.ask(ctx, namespace, pod, port, path)
		done <- result{body, err}
	}()
	select {
	case r := <-done:
		return r.body, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("ask port %d of pod %s/%s: %w", port, namespace, pod, ctx.Err())
	}
}

func (f *Forward) ask(ctx context.Context, namespace, pod string, port int, path string) ([]byte, error) {
	connection, err := f.dial(namespace, pod)
	if err != nil {
		return nil, fmt.Errorf("reach pod %s/%s (it needs the right to create pods/portforward): %w", namespace, pod, err)
	}
	defer connection.Close()
	// A stream has no deadline of its own.
	stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer stop()
	out, err := get(ctx, connection, port, path)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("ask port %d of pod %s/%s: %w", port, namespace, pod, err)
	}
	return out, nil
}

func (f *Forward) dial(namespace, pod string) (httpstream.Connection, error) {
	base, _, err := rest.DefaultServerUrlFor(f.config)
	if err != nil {
		return nil, err
	}
	at := base.JoinPath("api", "v1", "namespaces", url.PathEscape(namespace), "pods", url.PathEscape(pod), "portforward")
	transport, upgrader, err := spdy.RoundTripperFor(f.config)
	if err != nil {
		return nil, err
	}
	old := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, at)
	tunnel, err := portforward.NewSPDYOverWebsocketDialerForStreaming(at, f.config)
	if err != nil {
		return nil, err
	}
	dialer := portforward.NewFallbackDialerForStreaming(tunnel, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	connection, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	return connection, err
}

func get(ctx context.Context, connection httpstream.Connection, port int, path string) ([]byte, error) {
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, "0")
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	trouble, err := connection.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	_ = trouble.Close() // nothing is written to it
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := connection.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Close = true
	if err := request.Write(data); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(bufio.NewReader(data), request)
	if err != nil {
		// What the other side says is the reason; the stream only ended.
		if said, _ := io.ReadAll(io.LimitReader(trouble, 4096)); len(said) > 0 {
			return nil, fmt.Errorf("%s", said)
		}
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answers %s", response.Status)
	}
	return body, err
}
