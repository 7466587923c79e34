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

const (
	// seqHeader is how vegeta numbers its requests.
	seqHeader = "X-Vegeta-Seq"
	// targetHeader says which target a request is for; it is not sent.
	targetHeader = "X-Meshfed-Load-Target"
)

// observer sends each request by its target's transport, and keeps what vegeta's
// result does not hold: the target, and the error itself, since no text tells a
// refused handshake from a time-out.
type observer struct {
	transports []http.RoundTripper
	seen       sync.Map // of seq as text: sighting
}

type sighting struct {
	target int
	err    error
}

// RoundTrip implements http.RoundTripper.
func (o *observer) RoundTrip(r *http.Request) (*http.Response, error) {
	seq := r.Header.Get(seqHeader)
	target, err := strconv.Atoi(r.Header.Get(targetHeader))
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Del(targetHeader)
	answer, err := o.transports[target].RoundTrip(r)
	o.seen.Store(seq, sighting{target, err})
	if err == nil {
		answer.Body = &watchedBody{ReadCloser: answer.Body, failed: func(err error) {
			// The body's own error tells nothing of a time-out.
			if end, has := r.Context().Deadline(); has && !time.Now().Before(end) {
				err = errors.Join(err, context.DeadlineExceeded)
			}
			o.seen.Store(seq, sighting{target, err})
		}}
	}
	return answer, err
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
func (o *observer) take(r *vegeta.Result) (target int, alert uint8, _ wire.Result) {
	seen := wire.Result{Seq: int(r.Seq), Status: int(r.Code), Headers: r.Headers, Body: string(r.Body[:min(len(r.Body), wire.MaxBody)])}
	v, _ := o.seen.LoadAndDelete(strconv.FormatUint(r.Seq, 10))
	s, _ := v.(sighting)
	switch {
	case s.err != nil:
		seen.Fault, seen.Detail = wire.FaultOf(s.err), r.Error
		if code, is := wire.AlertOf(s.err); is {
			alert = uint8(code)
		}
	case r.Code == 0:
		// It was not even sent.
		seen.Fault, seen.Detail = wire.FaultOther, r.Error
	}
	return s.target, alert, seen
}
