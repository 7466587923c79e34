package publish

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/meshfed/meshfed/reports"
)

// WriteMarkdown writes the summary for a pull request: the verdict first, then
// only what a reviewer has to look at.
func WriteMarkdown(w io.Writer, r reports.ConformanceReport) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "## Conformance of %s %s: %s\n\n%s\n\n", markdown(r.Implementation.Name), markdown(r.Implementation.Version), r.Headline(), markdown(r.Line()))
	if len(r.Profiles) > 0 {
		out.WriteString("| profile | result | passed | of |\n|---|---|---|---|\n")
		for _, p := range r.Profiles {
			fmt.Fprintf(&out, "| %s | **%s** | %d | %d |\n", p.Name, p.Result, p.Summary.Passed, p.Summary.Total())
		}
		out.WriteString("\n")
	}
	markdownScenarios(&out, r)
	markdownFigures(&out, r)
	fmt.Fprintf(&out, "%s on %s (%s); %d cores, kernel %s; suite %s, features %.12s; seed %d\n",
		markdown(r.Provider), markdown(strings.Join(r.Topology.Clusters, ", ")), r.APIVersion,
		r.Environment.CPUs, markdown(r.Environment.Kernel), markdown(r.SuiteVersion), r.FeaturesDigest, r.Seed)
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// markdownScenarios lists all that did not pass, with the first line of why.
func markdownScenarios(out *bytes.Buffer, r reports.ConformanceReport) {
	head := "| verdict | scenario | reason |\n|---|---|---|\n"
	for _, s := range r.Scenarios {
		if s.Verdict == reports.Passed {
			continue
		}
		first, _, _ := strings.Cut(s.Reason, "\n")
		fmt.Fprintf(out, "%s| %s | `%s` | %s |\n", head, s.Verdict, s.ID, markdown(first))
		head = ""
	}
	if head == "" {
		out.WriteString("\n")
	}
}

// markdownFigures are the figures in one line each.
func markdownFigures(out *bytes.Buffer, r reports.ConformanceReport) {
	lines := 0
	for _, s := range r.Scenarios {
		for _, line := range s.Figures.Lines() {
			fmt.Fprintf(out, "- %s\n", markdown(line))
			lines++
		}
	}
	if lines > 0 {
		out.WriteString("\n")
	}
}

// markdown is text that must not become markup or break its table.
func markdown(text string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", ">", "&gt;", "*", "\\*", "_", "\\_", "`", "\\`",
		"[", "\\[", "]", "\\]", "@", "&#64;", "\r", " ", "\n", " ").Replace(text)
}
