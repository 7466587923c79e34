package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// optionsFlag names the options file. A file cannot name another.
const optionsFlag = "options"

// readOptions sets from the options file what the command line does not: a
// YAML map from a flag's long name to its value, a list where the flag may be
// given several times. A word that is no flag is an error: it would be an
// option that silently does nothing.
func readOptions(c *cobra.Command) error {
	path, err := c.Flags().GetString(optionsFlag)
	if err != nil || path == "" {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("--%s: %w", optionsFlag, err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return fmt.Errorf("--%s %s: %w", optionsFlag, path, err)
	}
	if len(document.Content) == 0 {
		return nil
	}
	top := document.Content[0]
	if top.Kind != yaml.MappingNode {
		return fmt.Errorf("--%s %s:%d: want a map from the names of flags to their values", optionsFlag, path, top.Line)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		name := top.Content[i]
		if seen[name.Value] {
			return fmt.Errorf("--%s %s:%d: %q stands there twice", optionsFlag, path, name.Line, name.Value)
		}
		seen[name.Value] = true
		if err := setOption(c, name.Value, top.Content[i+1]); err != nil {
			return fmt.Errorf("--%s %s:%d: %w", optionsFlag, path, name.Line, err)
		}
	}
	return nil
}

func setOption(c *cobra.Command, name string, value *yaml.Node) error {
	flag := c.Flags().Lookup(name)
	if flag == nil || name == optionsFlag || name == "help" {
		return fmt.Errorf("no option %q; there are: %s", name, strings.Join(optionNames(c), ", "))
	}
	if flag.Changed {
		return nil
	}
	var values []string
	if err := value.Decode(&values); err != nil {
		var one string
		if err := value.Decode(&one); err != nil {
			return fmt.Errorf("option %q: want a value or a list of values", name)
		}
		values = []string{one}
	} else if _, many := flag.Value.(pflag.SliceValue); !many {
		return fmt.Errorf("option %q: want one value", name)
	}
	for _, v := range values {
		if err := flag.Value.Set(v); err != nil {
			return fmt.Errorf("option %q: %q: %w", name, v, err)
		}
	}
	flag.Changed = true
	return nil
}

func optionNames(c *cobra.Command) []string {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != optionsFlag && f.Name != "help" {
			names = append(names, f.Name)
		}
	})
	slices.Sort(names)
	return names
}
