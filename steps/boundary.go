package steps

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"time"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/oracle"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/steps/internal/pairing"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/rawhttp"
)

func (w *World) boundarySteps(sc *godog.ScenarioContext) {
	sc.Then(`^the boundary of (c\d) is as declared, in each of at least (\d+) cells$`, w.boundaryHolds)
	sc.Then(`^a refusal there takes at most (\d\.\d) times as long as an answer$`, w.refusalIsQuick)
}

// cell is an attempt, what must become of it, and what did.
type cell struct {
	oracle.Attempt
	oracle.Expectation
	// from is the mesh whose workload asks; empty for a client outside.
	from string
	// tag marks the request, so that an arrival can be told from the others'.
	tag  string
	got  traffic.Outcome
	seen []Arrival
}

// cellHeader carries a cell's tag to the backend, which records it. All cells
// that must be refused share one nonce, so that one question to every workload
// is enough to know that none of them arrived.
const cellHeader = "Baggage"

// boundaryHolds probes every cell of the truth table that follows from what the
// owner of the mesh has applied. Refused and granted cells are mixed, so that
// the controls are in the same window as the refusals.
func (w *World) boundaryHolds(ctx context.Context, mesh string, least int) error {
	wish, err := oracle.Parse(w.declared[mesh])
	if err != nil {
		return inconclusive(err)
	}
	cells := w.cells(wish)
	if len(cells) < least {
		return fmt.Errorf("the declarations give %d cells, want at least %d", len(cells), least)
	}
	nonce := newNonce()
	start := time.Now()
	if err := w.probe(ctx, mesh, cells, nonce); err != nil {
		return inconclusive(err)
	}
	w.record = append(w.record, fmt.Sprintf("%d cells of the boundary of %s probed in %s", len(cells), mesh, time.Since(start).Round(time.Millisecond)))
	counted := w.count(ctx, cells, nonce)
	w.probed = cells
	return reports.Weighed(counted, w.judgeCells(mesh, cells))
}

// cells are those of the table, and the same as a workload of each mesh would
// try them: without a certificate, through its own sidecar.
func (w *World) cells(wish oracle.Wish) []cell {
	identity := pairing.ClientIdentity
	var all []cell
	callers := []oracle.Caller{
		{Credentials: oracle.Certificate, Identity: identity("c1")},
		{Credentials: oracle.Certificate, Identity: identity("c2")},
		{Credentials: oracle.Certificate, Identity: identity("c3")},
		{Credentials: oracle.Foreign, Identity: identity("c1")},
		{Credentials: oracle.Foreign, Identity: identity("c3")},
		{Credentials: oracle.None},
		{Credentials: oracle.Plaintext},
	}
	for _, authority := range w.entrances[wish.Mesh] {
		for _, mesh := range []string{"c1", "c3"} {
			callers = append(callers, oracle.Caller{Credentials: oracle.Certificate, Identity: identity(mesh), Authority: authority})
		}
	}
	for _, a := range wish.Table(oracle.Dimensions{Samples: samples(), Callers: callers}) {
		all = append(all, cell{Attempt: a, Expectation: wish.Judge(a)})
	}
	for _, c := range slices.Clone(all) {
		if c.Caller.Credentials != oracle.Plaintext || c.SNI != wish.Host {
			continue
		}
		for _, from := range w.Lab.Clusters() {
			c.from = from.Name()
			all = append(all, c)
		}
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i := range all {
		all[i].tag = fmt.Sprintf("cell=%d", i)
	}
	return all
}

// samples are paths that Bookinfo's services know.
func samples() map[string]string {
	return map[string]string{"myreviews": "reviews/0", "reviews": "reviews/0", "ratings": "ratings/0", "details": "details/0"}
}

// app is Bookinfo's own word for who is behind a Service of c2.
func app(service string) string {
	if service == "myreviews" {
		return "reviews"
	}
	return service
}

// grantedSuffix tells the nonce of what must arrive from that of what must not.
const grantedSuffix = "-granted"

func (c cell) request(nonce string) Request {
	if c.Fate == oracle.Granted {
		nonce += grantedSuffix
	}
	return Request{Method: c.Method, URL: c.Path, Nonce: nonce, Header: []rawhttp.Field{{Name: cellHeader, Value: c.tag}}}
}

func (w *World) probe(ctx context.Context, mesh string, cells []cell, nonce string) error {
	var knocks []Knock
	var at []*cell
	inside := map[string][]*cell{}
	for i := range cells {
		c := &cells[i]
		if c.from != "" {
			inside[c.from] = append(inside[c.from], c)
			continue
		}
		knocks, at = append(knocks, Knock{As: c.caller(), Request: c.request(nonce)}), append(at, c)
	}
	got, err := w.Meshes.Knocks(ctx, mesh, knocks)
	if err != nil {
		return err
	}
	for i, o := range got {
		at[i].got = o
	}
	host, port, err := w.Meshes.GatewayAddress(ctx, mesh)
	if err != nil {
		return err
	}
	for from, of := range inside {
		if err := w.probeFrom(ctx, from, net.JoinHostPort(host, port), of, nonce); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) probeFrom(ctx context.Context, from, address string, of []*cell, nonce string) error {
	var requests []Request
	for _, c := range of {
		r := c.request(nonce)
		r.URL, r.Host = "http://"+address+c.Path, c.Host
		requests = append(requests, r)
	}
	got, err := w.Meshes.FromWorkload(ctx, from, requests)
	if err != nil {
		return err
	}
	for i, o := range got {
		of[i].got = o
	}
	return nil
}

// caller is the attempt's in the words of this package.
func (c cell) caller() Caller {
	as := Caller{SNI: c.SNI, NoSNI: c.SNI == "", Host: c.Host, Mesh: meshOf(c.Caller.Identity), Authority: c.Caller.Authority}
	as.Credentials = map[oracle.Credentials]Credentials{
		oracle.Certificate: Own, oracle.Foreign: Impostor, oracle.None: NoCertificate, oracle.Plaintext: Plaintext,
	}[c.Caller.Credentials]
	return as
}

// meshOf is the mesh whose egress gateway has the identity.
func meshOf(identity string) string {
	for _, mesh := range []string{"c1", "c2", "c3"} {
		if identity == pairing.ClientIdentity(mesh) {
			return mesh
		}
	}
	return ""
}

// count finds, at every workload of every mesh, the requests that arrived and
// must not have. That the counters count is shown by those that must have.
func (w *World) count(ctx context.Context, cells []cell, nonce string) error {
	byTag := map[string]*cell{}
	for i := range cells {
		byTag[cells[i].tag] = &cells[i]
	}
	granted := 0
	for _, c := range w.Lab.Clusters() {
		for _, of := range []string{nonce, nonce + grantedSuffix} {
			arrivals, err := w.Meshes.Arrivals(ctx, c.Name(), of)
			if err != nil {
				return inconclusive(err)
			}
			for _, a := range arrivals {
				one, known := byTag[a.Header.Get(cellHeader)]
				switch {
				case known:
					one.seen = append(one.seen, a)
				case of == nonce:
					return fmt.Errorf("a refused request of no known cell arrived: %s", a)
				}
				if of != nonce {
					granted++
				}
			}
		}
	}
	if granted == 0 && slices.ContainsFunc(cells, func(c cell) bool { return c.Fate == oracle.Granted }) {
		return inconclusive(errors.New("no workload counted any of the requests that were answered"))
	}
	return nil
}

// judgeCells attaches the table and says what is wrong with it, leaks first. A cell
// of which nothing is known is not in it, and hides nothing that is.
func (w *World) judgeCells(mesh string, cells []cell) error {
	table := reports.TruthTable{Name: "private ingress gateway of " + mesh}
	var wrong, unknown []error
	for _, c := range cells {
		entry := c.entry()
		if c.got.Kind == traffic.TimedOut && !entry.Leak() {
			unknown = append(unknown, inconclusive(fmt.Errorf("no answer in time: %s", c)))
			continue
		}
		table.Cells = append(table.Cells, entry)
		switch why := c.wrong(mesh); {
		case entry.Leak():
			wrong = slices.Insert(wrong, 0, fmt.Errorf("LEAK: %s", c))
		case why != "":
			wrong = append(wrong, fmt.Errorf("%s: %s", why, c))
		}
	}
	const shown = 10
	errs := []error{w.Attach(table), errors.Join(unknown[:min(len(unknown), shown)]...)}
	if len(wrong) > 0 {
		errs = append(errs, fmt.Errorf("%d of %d cells are wrong:\n%w", len(wrong), len(cells), errors.Join(wrong[:min(len(wrong), shown)]...)))
	}
	return reports.Weighed(errs...)
}

func (c cell) String() string {
	by := c.Attempt.String()
	if c.from != "" {
		by += " from a workload of " + c.from
	}
	text := fmt.Sprintf("%s: want %s, got %s", by, c.Fate, c.got)
	if len(c.seen) > 0 {
		text += fmt.Sprintf("; and %s", c.seen[0])
	}
	return text
}

func (c cell) entry() reports.Cell {
	client := c.Caller.String()
	if c.from != "" {
		client = "a workload of " + c.from
	}
	e := reports.Cell{
		Client: client, SNI: c.SNI, Host: c.Host, Path: c.Path, Method: c.Method,
		Expected: reports.Refused, Got: reports.Refused, Reason: string(c.got.Kind), Arrivals: len(c.seen),
	}
	if c.Fate == oracle.Granted {
		e.Expected = reports.Granted
	}
	if c.got.Backend.Service != "" {
		e.Got, e.Reason = reports.Granted, c.got.Backend.String()
	} else if c.got.Alert != "" {
		e.Reason += ", alert " + string(c.got.Alert)
	}
	return e
}

// wrong says what is wrong with the cell; "" is nothing. Being refused for
// another reason than the declarations' is wrong, too: it would be an accident
// that may not happen the next time.
func (c cell) wrong(mesh string) string {
	if c.Fate == oracle.Granted {
		want := traffic.Backend{Service: app(c.Service), Version: c.Version, Cluster: mesh}
		if c.got.Backend.Service == "" || c.got.Kind == traffic.WrongBackend || !c.got.Backend.Fits(want) {
			return "not answered by " + want.String()
		}
		return ""
	}
	if !slices.ContainsFunc(c.refusals(), func(r refusal) bool { return r.fits(c.got) }) {
		return "refused otherwise"
	}
	return ""
}

// refusals are the outcomes by which a fate shows.
func (c cell) refusals() []refusal {
	alert := func(name traffic.TLSAlert) []refusal {
		return []refusal{{kinds: []traffic.Kind{traffic.HandshakeRefused}, alert: name}}
	}
	switch c.Fate {
	case oracle.CertificateRequired:
		return alert("certificate_required")
	case oracle.UnknownAuthority:
		return alert("unknown_ca")
	case oracle.WrongName:
		return alert("certificate_unknown")
	case oracle.DeniedByPolicy:
		return []refusal{{kinds: []traffic.Kind{traffic.DeniedByPolicy}}}
	case oracle.NobodyListens:
		return []refusal{{kinds: []traffic.Kind{traffic.Reset, traffic.Unreachable}}}
	}
	if c.from != "" {
		return []refusal{{kinds: onThisSide()}}
	}
	return []refusal{unheard()}
}

// refusalIsQuick compares the medians of the cells that were probed last, of
// those on connections that stand: refusing must not be dearer than serving.
func (w *World) refusalIsQuick(ctx context.Context, most float64) error {
	var denied, granted []float64
	for _, c := range w.probed {
		took := float64(c.got.Latency) / float64(time.Millisecond)
		switch c.Fate {
		case oracle.Granted:
			granted = append(granted, took)
		case oracle.DeniedByPolicy:
			denied = append(denied, took)
		}
	}
	if len(denied) == 0 || len(granted) == 0 {
		return errNoControl
	}
	d, g := reports.Quantile(denied, 0.5), reports.Quantile(granted, 0.5)
	w.record = append(w.record, fmt.Sprintf("median of %d refusals %.2f ms, of %d answers %.2f ms", len(denied), d, len(granted), g))
	if d > most*g {
		return fmt.Errorf("the median refusal takes %.2f ms and the median answer %.2f ms: want at most %.1f times as long", d, g, most)
	}
	return nil
}
