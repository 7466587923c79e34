package load

import (
	"net/http"
	"sync"

	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/wire"
	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// seqHeader is how vegeta numbers its requests.
const seqHeader = "X-Vegeta-Seq"

// observer keeps the error of each failed request: vegeta's result holds its
// text alone, and no text tells a refused handshake from a time-out.
type observer struct {
	next   http.RoundTripper
	faults sync.Map // of seq as text: error
}

// RoundTrip sends the request on, and notes what kept it from an answer.
func (o *observer) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := o.next.RoundTrip(r)
	if err != nil {
		o.faults.Store(r.Header.Get(seqHeader), err)
	}
	return answer, err
}

func (o *observer) kind(r *vegeta.Result, seq string, want traffic.Backend) traffic.Kind {
	seen := wire.Result{Status: int(r.Code), Headers: r.Headers, Body: string(r.Body)}
	if err, failed := o.faults.LoadAndDelete(seq); failed {
		seen.Fault, seen.Detail = wire.FaultOf(err.(error)), r.Error
	} else if r.Error != "" && r.Code == 0 {
		return traffic.Unexpected
	}
	return traffic.Classify(seen, "", want).Kind
}
