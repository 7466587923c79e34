package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshfed/meshfed/engine"
	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/reports"
	"github.com/meshfed/meshfed/suite"
)

func list() *cobra.Command {
	var selection suite.Selection
	c := &cobra.Command{
		Use:   "list [PATH[:LINE]…]",
		Short: "List the scenarios that a run with the same selection would play",
		RunE: func(cmd *cobra.Command, paths []string) error {
			selection.Paths = paths
			scenarios, err := suite.Select(features.FS, selection)
			if err != nil {
				return err
			}
			table := reports.NewTable(cmd.OutOrStdout(), "id", "where", "name", "tags")
			for _, s := range scenarios {
				row := []string{s.ID, s.Where(), s.Name, strings.Join(s.Tags, " ")}
				if err := table.Append(row); err != nil {
					return fmt.Errorf("list: %w", err)
				}
			}
			if err := table.Render(); err != nil {
				return fmt.Errorf("list: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d scenarios\n\n", len(scenarios))
			return vocabulary(cmd.OutOrStdout(), scenarios)
		},
	}
	selectionFlags(c, &selection)
	return c
}

// vocabulary is what a vendor has to know before a run: the profiles, the
// capabilities that an implementation may declare, and how long a scenario may take.
func vocabulary(w io.Writer, scenarios []suite.Scenario) error {
	tagged := func(word string) string {
		n := 0
		for _, s := range scenarios {
			if slices.Contains(s.Tags, "@"+word) {
				n++
			}
		}
		return fmt.Sprint(n)
	}
	table := reports.NewTable(w, "word", "what it is", "scenarios")
	for _, p := range reports.ProfileNames() {
		if err := table.Append([]string{string(p), "profile", tagged(string(p))}); err != nil {
			return fmt.Errorf("list: %w", err)
		}
	}
	for _, c := range engine.Capabilities() {
		if err := table.Append([]string{string(c), "capability", tagged(string(c))}); err != nil {
			return fmt.Errorf("list: %w", err)
		}
	}
	if err := table.Render(); err != nil {
		return fmt.Errorf("list: %w", err)
	}
	fmt.Fprintf(w, "time-out of a scenario without its clean-up (--timeout): at most %s, or no profile is a success\n", reports.MaxScenarioTimeout)
	return nil
}

func selectionFlags(c *cobra.Command, s *suite.Selection) {
	c.Flags().StringVar(&s.Tags, "tags", "", "Cucumber tag `expression`, such as '@core and not @acl'")
}
