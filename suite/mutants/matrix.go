package mutants

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/federator"
)

// Matrix is what a hunt has found, mutant by mutant.
type Matrix struct {
	// Where it was: versions, the machine, in one line.
	Where string `json:"where"`
	Full  bool   `json:"full"`
	// Inspected says that verify has looked, too.
	Inspected bool     `json:"inspected,omitempty"`
	Results   []Result `json:"results"`
	// Missing are mutants that nobody has looked for yet.
	Missing []string `json:"missing,omitempty"`
}

// Count is how many mutants had each fate.
func (m Matrix) Count() map[Fate]int {
	count := map[Fate]int{}
	for _, r := range m.Results {
		count[r.Fate()]++
	}
	return count
}

// Good says whether every mutant is dead, or cannot be told from the original;
// and, if verify has looked, that it has overlooked none that widens access.
func (m Matrix) Good() bool {
	return len(m.Results) > 0 && len(m.Missing) == 0 && !slices.ContainsFunc(m.Results, func(r Result) bool {
		return !r.Fate().Good() || m.Inspected && r.Fate() == Killed && r.Overlooked()
	})
}

// Line is the summary.
func (m Matrix) Line() string {
	count := m.Count()
	var parts []string
	for _, f := range []Fate{Killed, Refused, Equivalent, Survived, WrongProof, FalseAlarm, Undecided} {
		if count[f] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[f], f))
		}
	}
	if len(m.Missing) > 0 {
		parts = append(parts, fmt.Sprintf("%d not played yet", len(m.Missing)))
	}
	return fmt.Sprintf("%d mutants: %s", len(m.Results)+len(m.Missing), strings.Join(parts, ", "))
}

// WriteMarkdown writes the matrix for a person.
func (m Matrix) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Broken engines and who noticed\n\n%s\n\n", m.Line())
	fmt.Fprintf(&b, "Made by `make mutants` on a real lab (%s). ", m.Where)
	if m.Full {
		b.WriteString("Every suspect has looked at every mutant.\n")
	} else {
		b.WriteString("The suspects looked one after the other, until one noticed.\n")
	}
	b.WriteString("\"Widens\" marks faults that let somebody have what no declaration grants.\n")
	m.dead(&b)
	m.refused(&b)
	m.equivalent(&b)
	m.alive(&b)
	if len(m.Missing) > 0 {
		fmt.Fprintf(&b, "\n## Not played yet\n\n`--resume` goes on with them.\n\n- %s\n", strings.Join(m.Missing, "\n- "))
	}
	m.killers(&b)
	m.inspected(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (m Matrix) of(f Fate) []Result {
	var found []Result
	for _, r := range m.Results {
		if r.Fate() == f {
			found = append(found, r)
		}
	}
	return found
}

func (m Matrix) dead(b *strings.Builder) {
	b.WriteString("\n## Killed\n\n| mutant | where | widens | killed by | what it said |\n|---|---|---|---|---|\n")
	for _, r := range m.of(Killed) {
		widens := ""
		if r.Widens {
			widens = "yes"
		}
		i := slices.IndexFunc(r.Tries, func(t Try) bool { return t.Fate() == Killed })
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", r.Mutant, r.Where, widens, strings.Join(r.Killers(), ", "), said(r.Tries[i].Reason))
	}
}

func (m Matrix) refused(b *strings.Builder) {
	b.WriteString("\n## Refused by the API server\n\nSuch objects cannot come about.\n\n| mutant | why |\n|---|---|\n")
	for _, r := range m.of(Refused) {
		i := slices.IndexFunc(r.Tries, func(t Try) bool { return t.Fate() == Refused })
		fmt.Fprintf(b, "| %s | %s |\n", r.Mutant, said(r.Tries[i].Refused))
	}
}

func (m Matrix) equivalent(b *strings.Builder) {
	b.WriteString("\n## Equivalent\n\nNo request can tell them from the original; their suspects have all looked.\n\n| mutant | proof |\n|---|---|\n")
	for _, r := range m.of(Equivalent) {
		fmt.Fprintf(b, "| %s | %s |\n", r.Mutant, r.Equivalent)
	}
}

func (m Matrix) alive(b *strings.Builder) {
	for _, f := range []Fate{Survived, WrongProof, FalseAlarm, Undecided} {
		for i, r := range m.of(f) {
			if i == 0 {
				fmt.Fprintf(b, "\n## %s\n\n", strings.ToUpper(string(f[:1]))+string(f[1:]))
			}
			fmt.Fprintf(b, "- %s\n", r.Mutant)
			for _, t := range r.Tries {
				fmt.Fprintf(b, "  - %s: %s %s\n", t.Scenario, t.Verdict, said(t.Reason))
			}
		}
	}
}

func (m Matrix) killers(b *strings.Builder) {
	kills := map[string]int{}
	for _, r := range m.of(Killed) {
		for _, id := range r.Killers() {
			kills[id]++
		}
	}
	ids := slices.Collect(maps.Keys(kills))
	slices.SortFunc(ids, func(a, c string) int { return cmp.Or(cmp.Compare(kills[c], kills[a]), cmp.Compare(a, c)) })
	b.WriteString("\n## Who killed how many\n\n| scenario | mutants |\n|---|---|\n")
	for _, id := range ids {
		fmt.Fprintf(b, "| %s | %d |\n", id, kills[id])
	}
}

// inspected tells what verify finds of the faults that widen access.
func (m Matrix) inspected(b *strings.Builder) {
	if !m.Inspected {
		return
	}
	b.WriteString("\n## What `federator verify` finds\n\nOf each fault that widens access, while it was in force; kinds that do not begin with `object-` are of what a gateway's Envoy runs.\n\n| mutant | findings |\n|---|---|\n")
	for _, r := range m.Results {
		if !r.Widens || r.Fate() == Refused {
			continue
		}
		var kinds []federator.FindingKind
		for _, t := range r.Tries {
			kinds = append(kinds, t.Found...)
		}
		slices.Sort(kinds)
		var words []string
		for _, k := range slices.Compact(kinds) {
			words = append(words, string(k))
		}
		fmt.Fprintf(b, "| %s | %s |\n", r.Mutant, strings.Join(words, ", "))
	}
}

// saidLength keeps a row of the table readable.
const saidLength = 160

// said is the beginning of a reason, in one line of a table.
func said(reason string) string {
	line := []rune(strings.ReplaceAll(strings.Join(strings.Fields(reason), " "), "|", `\|`))
	if len(line) > saidLength {
		return string(line[:saidLength]) + "…"
	}
	return string(line)
}
