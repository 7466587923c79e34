package steps

import (
	"context"
	"errors"
	"fmt"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/traffic"
)

// tableRow is what one caller may do on one path, by method.
type tableRow struct {
	mesh, caller, path string
	methods            []string
	// wants are in the order of the methods: a workload, or never.
	wants []string
}

// never is how a table spells a request that the gateway's policy refuses.
const never = "-"

// truthTable tries every cell of a table once, all between two controls: those
// that name a workload are answered by it, and the others are refused by policy
// and seen by nobody. What it found goes into the report cell by cell.
func (w *World) truthTable(ctx context.Context, mesh string, table *godog.Table) error {
	rows, err := tableRows(mesh, table)
	if err != nil {
		return err
	}
	if w.control == nil {
		return errNoControl
	}
	if _, err := w.alive(ctx, "right before"); err != nil {
		return err
	}
	// All refusals carry one nonce: asking every workload for each of them would
	// take longer than all requests.
	refusals := newNonce()
	figure := reports.TruthTable{Name: "private ingress gateway of " + mesh}
	for _, row := range rows {
		cells, err := w.tryRow(ctx, row, refusals)
		if err != nil {
			return err
		}
		figure.Cells = append(figure.Cells, cells...)
	}
	after, err := w.alive(ctx, "right after")
	if err != nil {
		return err
	}
	if err := w.unseenAnywhere(ctx, refusals, after); err != nil {
		return err
	}
	return reports.Weighed(w.Attach(figure), figure.Holds())
}

// tableRows reads a table whose header is certificate, path and the methods.
func tableRows(mesh string, table *godog.Table) ([]tableRow, error) {
	const fixed = 2
	if len(table.Rows) < 2 || len(table.Rows[0].Cells) <= fixed {
		return nil, errors.New("a table without a row, or without a method: want | certificate | path | GET | ... |")
	}
	var methods []string
	for _, cell := range table.Rows[0].Cells[fixed:] {
		methods = append(methods, cell.Value)
	}
	var rows []tableRow
	for _, cells := range table.Rows[1:] {
		row := tableRow{mesh: mesh, caller: cells.Cells[0].Value, path: cells.Cells[1].Value, methods: methods}
		for _, cell := range cells.Cells[fixed:] {
			row.wants = append(row.wants, cell.Value)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (w *World) tryRow(ctx context.Context, row tableRow, refusals string) ([]reports.Cell, error) {
	var cells []reports.Cell
	for i, method := range row.methods {
		nonce := refusals
		if row.wants[i] != never {
			nonce = newNonce()
		}
		cell, err := w.tryCell(ctx, row, i, nonce)
		if err != nil {
			return nil, fmt.Errorf("%s, %s %s: %w", row.caller, method, row.path, err)
		}
		cells = append(cells, cell)
	}
	return cells, nil
}

// tryCell asks once. Only a refusal by policy is one: an answer of any other
// kind, a time-out above all, is an error and no cell.
func (w *World) tryCell(ctx context.Context, row tableRow, column int, nonce string) (reports.Cell, error) {
	method, want := row.methods[column], row.wants[column]
	q, err := w.atEdge(row.mesh, method, row.path, row.caller)
	if err != nil {
		return reports.Cell{}, err
	}
	one, err := w.ask(ctx, q, nonce)
	if err != nil {
		return reports.Cell{}, err
	}
	cell := reports.Cell{Client: row.caller, Path: row.path, Method: method, Expected: reports.Refused, Reason: one.Outcome.String()}
	inside := func(o traffic.Outcome) bool { return o.Backend != (traffic.Backend{}) }
	if want != never {
		backend, err := parseWorkload(want)
		if err != nil {
			return cell, err
		}
		cell.Expected, inside = reports.Granted, by(backend)
	}
	switch {
	case one.Kind == traffic.DeniedByPolicy:
		cell.Got = reports.Refused
	case inside(one.Outcome):
		// Also an error that a workload itself answers: the request got in.
		cell.Got = reports.Granted
	default:
		return cell, fmt.Errorf("want %s or a refusal by policy; got: %s", want, one)
	}
	return cell, nil
}
