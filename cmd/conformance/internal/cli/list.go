package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

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
			fmt.Fprintf(cmd.OutOrStdout(), "%d scenarios\n", len(scenarios))
			return nil
		},
	}
	selectionFlags(c, &selection)
	return c
}

func selectionFlags(c *cobra.Command, s *suite.Selection) {
	c.Flags().StringVar(&s.Tags, "tags", "", "Cucumber tag `expression`, such as '@core and not @acl'")
}
