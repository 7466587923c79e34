package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator"
)

// write prints v as YAML or JSON, or calls text.
func write(out io.Writer, format outputFormat, v any, text func(*page)) error {
	var raw []byte
	var err error
	switch format {
	case formatYAML:
		raw, err = yaml.Marshal(v)
	case formatJSON:
		raw, err = json.MarshalIndent(v, "", "  ")
		raw = append(raw, '\n')
	default:
		p := &page{}
		text(p)
		raw = []byte(p.String())
	}
	if err != nil {
		return fmt.Errorf("encode output: %w", err)
	}
	if _, err := out.Write(raw); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// page is text for people.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// sign stands before an object, as in a diff.
func sign(a federator.Action) string {
	return map[federator.Action]string{
		federator.ActionCreate: "+", federator.ActionUpdate: "~", federator.ActionDelete: "-", federator.ActionUnchanged: " ",
	}[a]
}

func (p *page) plan(in federator.Plan, diffs bool) {
	for _, c := range in.Changes {
		if c.Action == federator.ActionUnchanged {
			continue
		}
		p.line("%s %s (%s)", sign(c.Action), c.Object, strings.Join(c.DeclaredBy, ", "))
		if diffs && c.Action == federator.ActionUpdate {
			for line := range strings.Lines(c.Diff) {
				p.WriteString("    " + line)
			}
		}
	}
	for _, e := range in.Effects {
		p.line("%s", e.Sentence)
	}
	for _, r := range in.Left {
		p.line("! %s is somebody else's by now and stays", r)
	}
	for _, why := range in.Conflicts {
		p.line("! %s", why)
	}
	if in.Unfinished {
		p.line("the last apply did not finish; this goes on from there")
	}
	p.line("mesh %s: %d to create, %d to update, %d to delete, %d unchanged", in.Mesh,
		in.Count(federator.ActionCreate), in.Count(federator.ActionUpdate), in.Count(federator.ActionDelete), in.Count(federator.ActionUnchanged))
}

func (p *page) result(in federator.Result) {
	p.plan(in.Plan, in.DryRun)
	if in.DryRun {
		p.line("dry run: nothing written")
		return
	}
	p.line("done: %d writes", in.Writes)
}

func (p *page) status(in federator.Status) {
	for _, d := range in.Declarations {
		p.line("%-9s %s", d.State, d.Declaration)
		for _, c := range d.Objects {
			if c.Action != federator.ActionUnchanged {
				p.line("          %s %s", sign(c.Action), c.Object)
			}
		}
	}
	for _, problem := range in.Problems {
		p.line("problem   %s", problem)
	}
	if in.Unfinished {
		p.line("the last apply did not finish; run apply again")
	}
	if in.InSync {
		p.line("mesh %s: in sync", in.Mesh)
		return
	}
	p.line("mesh %s: not in sync", in.Mesh)
}
