package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/meshfed/meshfed/traffic/wire"
)

// seqHeader is how vegeta numbers an attacker's requests.
const seqHeader = "X-Vegeta-Seq"

// observer sends the requests of one attacker by its target's transport, and
// keeps what vegeta's result does not hold: the error itself, since no text tells
// a refused handshake from a time-out.
type observer struct {
	transport http.RoundTripper
	failed    sync.Map // of seq as text: error
}

// RoundTrip implements http.RoundTripper.
func (o *observer) RoundTrip(r *http.Request) (*http.Response, error) {
	seq := r.Header.Get(seqHeader)
	answer, err := o.transport.RoundTrip(r)
	if err != nil {
		o.failed.Store(seq, err)
		return answer, err
	}
	answer.Body = &watchedBody{ReadCloser: answer.Body, failed: func(err error) {
		// The body's own error tells nothing of a time-out.
		if end, has := r.Context().Deadline(); has && !time.Now().Before(end) {
			err = errors.Join(err, context.DeadlineExceeded)
		}
		o.failed.Store(seq, err)
	}}
	return answer, nil
}

// close ends the connections that a transport of net/http keeps.
func (o *observer) close() {
	if c, can := o.transport.(interface{ CloseIdleConnections() }); can {
		c.CloseIdleConnections()
	}
}

// watchedBody tells of an error that comes after the head of an answer.
type watchedBody struct {
	io.ReadCloser
	failed func(error)
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed(err)
	}
	return n, err
}

// take is what became of a request, and forgets it.
func (o *observer) take(r *vegeta.Result) (alert uint8, _ wire.Result) {
	seen := wire.Result{Seq: int(r.Seq), Status: int(r.Code), Headers: r.Headers, Body: string(r.Body[:min(len(r.Body), wire.MaxBody)])}
	v, failed := o.failed.LoadAndDelete(strconv.FormatUint(r.Seq, 10))
	switch {
	case failed:
		err := v.(error)
		seen.Fault, seen.Detail = wire.FaultOf(err), r.Error
		if code, is := wire.AlertOf(err); is {
			alert = uint8(code)
		}
	case r.Code == 0:
		// It was not even sent.
		seen.Fault, seen.Detail = wire.FaultOther, r.Error
	}
	return alert, seen
}
