package reports

import (
	"cmp"
	"fmt"
	"slices"
)

// Access is what became of one attempt, or should have: the closed vocabulary
// of a truth table.
type Access string

// The two ways an attempt can end. A time-out is neither and has no place in
// a table: the scenario is inconclusive then.
const (
	Granted Access = "granted"
	Refused Access = "refused"
)

// TruthTable is who can reach what, expected and seen, cell by cell.
type TruthTable struct {
	// Name says which boundary was tried: "private ingress gateway of c2".
	Name string `json:"name"`
	// Cells have the leaks first, then the other wrong ones; see SortCells.
	Cells []Cell `json:"cells"`
}

// Cell is one attempt. An empty coordinate does not apply to it.
type Cell struct {
	// Client is who asked: an identity, or words for the lack of one.
	Client string `json:"client"`
	SNI    string `json:"sni,omitempty"`
	Host   string `json:"host,omitempty"`
	Path   string `json:"path,omitempty"`
	Method string `json:"method,omitempty"`
	// Expected is the oracle's word, Got the gateway's.
	Expected Access `json:"expected"`
	Got      Access `json:"got"`
	// Reason is how the gateway said so: "403 rbac_access_denied".
	Reason string `json:"reason,omitempty"`
	// Arrivals is how many backends saw the request.
	Arrivals int `json:"arrivals"`
}

// Leak says that something got through which must not: an answer, or a
// request that a backend saw although it was refused in the end.
func (c Cell) Leak() bool { return c.Expected == Refused && (c.Got == Granted || c.Arrivals > 0) }

// Wrong says that the cell is not as expected, leak or not.
func (c Cell) Wrong() bool { return c.Leak() || c.Expected != c.Got }

func (c Cell) rank() int {
	switch {
	case c.Leak():
		return 0
	case c.Wrong():
		return 1
	}
	return 2
}

// SortCells puts leaks first, then other wrong cells; the rest keeps its order.
func (t *TruthTable) SortCells() {
	slices.SortStableFunc(t.Cells, func(a, b Cell) int { return cmp.Compare(a.rank(), b.rank()) })
}

// Count says how many cells are leaks and how many are wrong, leaks included.
func (t TruthTable) Count() (leaks, wrong int) {
	for _, c := range t.Cells {
		if c.Leak() {
			leaks++
		}
		if c.Wrong() {
			wrong++
		}
	}
	return leaks, wrong
}

func (t TruthTable) lines() []string {
	leaks, wrong := t.Count()
	return []string{fmt.Sprintf("truth table of %s: %d cells, %d wrong, %d leaks", t.Name, len(t.Cells), wrong, leaks)}
}

func (t TruthTable) addTo(all *Figures) {
	t.Cells = slices.Clone(t.Cells)
	t.SortCells()
	all.TruthTables = append(all.TruthTables, t)
}

func (t TruthTable) validate() error {
	if len(t.Cells) == 0 {
		return fmt.Errorf("truth table of %s: it has no cells", t.Name)
	}
	for i, c := range t.Cells {
		for _, a := range []Access{c.Expected, c.Got} {
			if a != Granted && a != Refused {
				return fmt.Errorf("truth table of %s: cell %d: %q: want %s or %s", t.Name, i, a, Granted, Refused)
			}
		}
	}
	return nil
}

// Holds says whether every cell is as expected.
func (t TruthTable) Holds() error {
	leaks, wrong := t.Count()
	if wrong == 0 {
		return nil
	}
	first := t.Cells[slices.IndexFunc(t.Cells, Cell.Wrong)]
	return fmt.Errorf("truth table of %s: %d of %d cells are wrong, %d of them leaks; one: %s %s %s by %s (SNI %s): want %s, got %s (%s)",
		t.Name, wrong, len(t.Cells), leaks, first.Method, first.Host, first.Path, first.Client, first.SNI, first.Expected, first.Got, first.Reason)
}
