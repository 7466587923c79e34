package steps

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cucumber/godog"

	"github.com/meshfed/meshfed/traffic/load"
)

// loadPlan reads a table: name, request, and perhaps with, share, connections
// and protocol.
func loadPlan(seconds, rate int, table *godog.Table) (load.Plan, map[string]Caller, error) {
	plan := load.Plan{Rate: rate, Count: rate * seconds}
	as := map[string]Caller{}
	if len(table.Rows) < 2 {
		return plan, nil, errors.New("a table of load: want a heading and at least one row")
	}
	for _, row := range table.Rows[1:] {
		target := load.Target{Nonce: newNonce()}
		for i, cell := range row.Cells {
			if err := readCell(&target, as, table.Rows[0].Cells[i].Value, cell.Value); err != nil {
				return plan, nil, err
			}
		}
		plan.Targets = append(plan.Targets, target)
	}
	return plan, as, nil
}

// edgePlan is a loadPlan that says with whose certificate.
func edgePlan(seconds, rate int, table *godog.Table) (load.Plan, map[string]Caller, error) {
	plan, as, err := loadPlan(seconds, rate, table)
	if err != nil {
		return plan, nil, err
	}
	for _, t := range plan.Targets {
		if _, named := as[t.Name]; !named {
			return plan, nil, fmt.Errorf("%q: the table does not say with whose certificate", t.Name)
		}
	}
	return plan, as, nil
}

func readCell(target *load.Target, as map[string]Caller, column, text string) error {
	switch column {
	case "name":
		target.Name = text
	case "request":
		method, url, ok := strings.Cut(text, " ")
		if !ok {
			return fmt.Errorf("request %q: want a method and a URL", text)
		}
		target.Method, target.URL = method, url
	case "with":
		caller, err := parseCaller(text)
		if err != nil {
			return err
		}
		as[target.Name] = caller
	case "share":
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("share %q: want a number", text)
		}
		target.Share = n
	case "connections":
		if text != "kept" && text != "fresh" {
			return fmt.Errorf(`connections %q: want "kept" or "fresh"`, text)
		}
		target.FreshConnection = text == "fresh"
	case "protocol":
		if text != "HTTP/1.1" && text != "HTTP/2" {
			return fmt.Errorf(`protocol %q: want "HTTP/1.1" or "HTTP/2"`, text)
		}
		target.HTTP2 = text == "HTTP/2"
	default:
		return fmt.Errorf("column %q: want name, request, with, share, connections or protocol, name before with", column)
	}
	return nil
}
