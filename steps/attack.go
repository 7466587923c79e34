package steps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	"golang.org/x/sync/errgroup"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/steps/internal/pairing"
	"github.com/meshfed/meshfed/traffic"
	"github.com/meshfed/meshfed/traffic/rawh2"
	"github.com/meshfed/meshfed/traffic/rawhttp"
	"github.com/meshfed/meshfed/traffic/wire"
)

func (w *World) attackSteps(sc *godog.ScenarioContext) {
	sc.Then(`^at (c\d), each of these attacks is refused:$`, w.attacksRefused)
	sc.Then(`^at (c\d), behind a chunked upload to "GET ([^"]+)" with (.+), "GET ([^"]+)" is judged by itself and refused: (.+)$`, w.hiddenRefused)
	sc.Then(`^at (c\d), with "GET ([^"]+)" by (c\d)'s certificate none of these lines reaches a workload as it was sent:$`, w.forgeriesStripped)
}

// attack is one row: everything that is not in it is as the control has it.
type attack struct {
	name   string
	caller Caller
	Request
	// abuse of HTTP/2 that is made of the request; empty is HTTP/1.1.
	abuse   rawh2.Abuse
	refusal refusal
	// words of the refusal, and source, the advisory it comes from.
	words, source string
}

// atOnce is how many attacks are under way at a time. A gateway leaves many of
// them a second to hear why before it closes the connection.
const atOnce = 8

// attacksRefused tries each attack once, between two controls of its own. All
// rows are tried, so that one hole does not hide another, and several at once.
// They carry one nonce, so that the workloads need not be asked for each of them
// whether they have seen it.
func (w *World) attacksRefused(ctx context.Context, mesh string, table *godog.Table) error {
	attacks, err := parseAttacks(table)
	if err != nil {
		return err
	}
	if w.control == nil {
		return errNoControl
	}
	nonce := newNonce()
	tried := make([]trying, len(attacks))
	var all errgroup.Group
	all.SetLimit(atOnce)
	for i, a := range attacks {
		q := w.attackQuestion(mesh, a)
		all.Go(func() error {
			t := &tried[i]
			t.attempt, t.after, t.err = w.control.around(ctx, q, nonce, &t.record)
			return nil
		})
	}
	_ = all.Wait() // each row keeps its own error
	var control asked
	var errs []error
	for i, t := range tried {
		w.record = append(w.record, t.record...)
		if err := t.wrong(attacks[i]); err != nil {
			errs = append(errs, fmt.Errorf("%s (%s): %w", attacks[i].name, attacks[i].source, err))
		}
		if t.err == nil {
			control = t.after
		}
	}
	if control.nonce != "" {
		errs = append(errs, w.unseenAnywhere(ctx, nonce, control))
	}
	return reports.Weighed(errs...)
}

// trying is what came of one attack.
type trying struct {
	attempt, after asked
	record         record
	err            error
}

func (t trying) wrong(a attack) error {
	return t.attempt.judged(t.err, a.words, a.refusal.fits)
}

// attackQuestion may be asked while others are: it reads nothing that a step
// changes.
func (w *World) attackQuestion(mesh string, a attack) question {
	meshes := w.Meshes
	return question{what: a.name, send: func(ctx context.Context, nonce string) (traffic.Outcome, error) {
		r := a.Request
		r.Nonce, r.Tail = nonce, []byte(strings.ReplaceAll(string(a.Tail), "<NONCE>", nonce))
		if a.abuse != "" {
			return meshes.Abuse(ctx, mesh, a.caller, r, a.abuse)
		}
		return meshes.Edge(ctx, mesh, a.caller, r)
	}}
}

// hiddenRefused sends, on one connection, a request that is granted, a body in
// chunks, and right behind it a second request. The first is answered, and the
// connection goes on: so the next answer on it is the second one's, whatever else
// is asked, and no workload may see that one.
func (w *World) hiddenRefused(ctx context.Context, mesh, path, words, hidden, refused string) error {
	caller, err := parseCaller(words)
	if err != nil {
		return err
	}
	want, err := parseRefusal(refused)
	if err != nil {
		return err
	}
	line, err := w.Meshes.Line(ctx, mesh, caller, reports.LiveHTTP1)
	if err != nil {
		return inconclusive(err)
	}
	defer line.Close()
	send := func(r Request) func(context.Context, string) (traffic.Outcome, error) {
		return func(ctx context.Context, nonce string) (traffic.Outcome, error) {
			r.Nonce = nonce
			return line.Ask(ctx, r)
		}
	}
	marked := newNonce()
	upload := Request{
		Method: http.MethodGet, URL: path, Header: []rawhttp.Field{{Name: "Transfer-Encoding", Value: "chunked"}},
		Tail: []byte("5\r\nhello\r\n0\r\n\r\nGET " + hidden + " HTTP/1.1\r\nHost: " + pairing.Host(mesh) + "\r\n" + wire.HeaderNonce + ": " + marked + "\r\n\r\n"),
	}
	first, err := w.ask(ctx, question{what: "a chunked upload to " + path, send: send(upload)}, newNonce())
	if err != nil {
		return err
	}
	if first.Kind != traffic.Allowed || !line.Live() {
		return fmt.Errorf("the upload was not answered, or its connection ended with the answer: %s", first)
	}
	second, err := w.ask(ctx, question{what: "behind it " + hidden, send: send(Request{Method: http.MethodGet, URL: path})}, newNonce())
	if err != nil {
		return err
	}
	if !want.fits(second.Outcome) {
		return fmt.Errorf("want %s; got: %s", refused, second)
	}
	return w.unseenAnywhere(ctx, marked, first)
}

// parseAttacks reads a table with the columns attack, caller, request, refusal
// and source; http2 (an abuse of it), lines (further header lines) and after
// (what follows the head) may be missing.
func parseAttacks(table *godog.Table) ([]attack, error) {
	head := values(table.Rows[0])
	for _, name := range []string{"attack", "caller", "request", "refusal", "source"} {
		if !slices.Contains(head, name) {
			return nil, fmt.Errorf("a table of attacks without the column %q", name)
		}
	}
	var all []attack
	for _, row := range table.Rows[1:] {
		column := map[string]string{}
		for i, value := range values(row) {
			column[head[i]] = value
		}
		one, err := parseAttack(column)
		if err != nil {
			return nil, fmt.Errorf("attack %q: %w", column["attack"], err)
		}
		all = append(all, one)
	}
	return all, nil
}

func values(row *messages.PickleTableRow) []string {
	var all []string
	for _, c := range row.Cells {
		all = append(all, c.Value)
	}
	return all
}

func parseAttack(column map[string]string) (attack, error) {
	caller, err := parseCaller(column["caller"])
	if err != nil {
		return attack{}, err
	}
	refusal, err := parseRefusal(column["refusal"])
	if err != nil {
		return attack{}, err
	}
	abuse := rawh2.Abuse(column["http2"])
	if abuse != "" && !slices.Contains(rawh2.Abuses(), abuse) {
		return attack{}, fmt.Errorf("an abuse of HTTP/2 %q: want one of %q", abuse, rawh2.Abuses())
	}
	method, target, is := strings.Cut(column["request"], " ")
	if !is {
		return attack{}, fmt.Errorf("a request %q: want a method and a target", column["request"])
	}
	return attack{
		name: column["attack"], source: column["source"], words: column["refusal"], refusal: refusal, caller: caller, abuse: abuse,
		Request: Request{Method: method, URL: bytesOf(target), Header: lines(column["lines"]), Tail: []byte(bytesOf(column["after"]))},
	}, nil
}

// bytesOf puts bytes in the place of the names by which tables have them.
func bytesOf(text string) string {
	return strings.NewReplacer(
		"<CR>", "\r", "<LF>", "\n", "<CRLF>", "\r\n", "<NUL>", "\x00", "<TAB>", "\t", "<DEL>", "\x7f", "<FF>", "\xff",
		"<64KiB>", strings.Repeat("a", 64<<10), "<1MiB>", strings.Repeat("a", 1<<20),
	).Replace(text)
}

// lines are header lines; what has no colon is sent all the same.
func lines(text string) []rawhttp.Field {
	var all []rawhttp.Field
	for line := range strings.SplitSeq(text, "<CRLF>") {
		if line != "" {
			name, value, _ := strings.Cut(line, ": ")
			all = append(all, rawhttp.Field{Name: bytesOf(name), Value: bytesOf(value)})
		}
	}
	return all
}

// forgeriesStripped sends all lines with a request that is answered, and looks
// at what the workload saw of them. Its own sidecar speaks last, so that any
// part of a forged value that is left has passed both proxies.
func (w *World) forgeriesStripped(ctx context.Context, mesh, path, as string, table *godog.Table) error {
	caller, err := parseCaller(as + "'s certificate")
	if err != nil {
		return err
	}
	var forged []rawhttp.Field
	for _, row := range table.Rows[1:] {
		forged = append(forged, rawhttp.Field{Name: row.Cells[0].Value, Value: bytesOf(row.Cells[1].Value)})
	}
	q := question{what: "forged headers", send: func(ctx context.Context, nonce string) (traffic.Outcome, error) {
		return w.Meshes.Edge(ctx, mesh, caller, Request{Method: "GET", URL: path, Nonce: nonce, Header: forged})
	}}
	one, err := w.ask(ctx, q, newNonce())
	if err != nil {
		return err
	}
	if one.Kind != traffic.Allowed {
		return fmt.Errorf("the request was not answered: %s", one)
	}
	arrivals, err := w.Meshes.Arrivals(ctx, mesh, one.nonce)
	if err != nil {
		return inconclusive(err)
	}
	if len(arrivals) == 0 {
		return inconclusive(fmt.Errorf("no workload counted %s", one))
	}
	var errs []error
	for _, f := range forged {
		for _, a := range arrivals {
			seen := append(slices.Clone(a.Header.Values(f.Name)), a.XFCC)
			if slices.ContainsFunc(seen, func(v string) bool { return strings.Contains(v, f.Value) }) {
				errs = append(errs, fmt.Errorf("%s: %q reached %s %s", f.Name, f.Value, a.Service, a.Version))
			}
		}
	}
	return errors.Join(errs...)
}
