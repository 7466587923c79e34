// Package usage is what the commands have in common about bad input: an error
// that says so, and command lines that refuse what they do not know. It must not
// know what the commands do, nor with which code a program ends.
package usage

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Error is bad input, whoever found it.
type Error struct{ Err error }

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Bad is err as bad input; nil stays nil.
func Bad(err error) error {
	if err == nil {
		return nil
	}
	return &Error{err}
}

// Errorf is fmt.Errorf of bad input.
func Errorf(format string, args ...any) error { return Bad(fmt.Errorf(format, args...)) }

// Strict makes every command of a tree refuse as bad input what it does not
// know. Left alone, cobra looks for an unknown command only where Args is nil,
// and takes one of a group that has nothing to run for a cry for help, which is
// a success. Cobra's own commands are part of the tree, so the streams of root
// have to be set before.
func Strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.SetFlagErrorFunc(bad)
	strict(root)
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Args = topic
		}
	}
}

func strict(c *cobra.Command) {
	for _, sub := range c.Commands() {
		strict(sub)
	}
	if c.HasSubCommands() && !c.Runnable() {
		c.Args = noCommand
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		c.DisableFlagsInUseLine = true
		return
	}
	check := c.Args
	if check == nil {
		check = cobra.ArbitraryArgs
	}
	c.Args = func(c *cobra.Command, args []string) error {
		err := check(c, args)
		if err == nil {
			// Cobra looks at these only later, and has no say in what becomes of the error.
			err = errors.Join(c.ValidateRequiredFlags(), c.ValidateFlagGroups())
		}
		return bad(c, err)
	}
}

// bad is err as bad input of that command.
func bad(c *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return Errorf("%w; see %s --help", err, c.CommandPath())
}

// noCommand refuses what stands where one of a group's commands was expected.
func noCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	const typo = 2
	c.SuggestionsMinimumDistance = max(c.SuggestionsMinimumDistance, typo)
	hint := "; "
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("; did you mean %s? ", strings.Join(near, " or "))
	}
	return Errorf("unknown command %q for %q%ssee %[2]s --help", args[0], c.CommandPath(), hint)
}

// topic refuses help about what is no command.
func topic(c *cobra.Command, args []string) error {
	about, rest, err := c.Root().Find(args)
	if err != nil {
		return bad(c, err)
	}
	return noCommand(about, rest)
}
