package usage_test

import (
	"errors"
	"io"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cmd/internal/usage"
)

// errPlay is an end that is nobody's bad input.
var errPlay = errors.New("the string broke")

func tree() *cobra.Command {
	root := &cobra.Command{Use: "band", SilenceUsage: true, SilenceErrors: true}
	play := &cobra.Command{Use: "play", RunE: func(*cobra.Command, []string) error { return errPlay }}
	play.Flags().Bool("soft", false, "")
	play.Flags().Bool("fast", false, "")
	play.MarkFlagsMutuallyExclusive("soft", "fast")
	tune := &cobra.Command{Use: "tune STRING", Args: cobra.ExactArgs(1), RunE: play.RunE}
	guitar := &cobra.Command{Use: "guitar", Args: cobra.NoArgs}
	guitar.AddCommand(play, tune)
	root.AddCommand(guitar)
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	usage.Strict(root)
	return root
}

func TestOnlyWhatIsNotKnownIsBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
		bad  bool
	}{
		"a group":               {args: []string{"guitar"}},
		"nothing":               {args: []string{}},
		"its own end":           {args: []string{"guitar", "play"}, want: errPlay.Error()},
		"arguments of any kind": {args: []string{"guitar", "play", "x"}, want: errPlay.Error()},
		"near a command":        {[]string{"gitar"}, `unknown command "gitar" for "band"; did you mean guitar? see band --help`, true},
		"far from all":          {[]string{"guitar", "smash"}, `unknown command "smash" for "band guitar"; see band guitar --help`, true},
		"too few":               {[]string{"guitar", "tune"}, "accepts 1 arg(s), received 0; see band guitar tune --help", true},
		"no such flag":          {[]string{"guitar", "play", "--loud"}, "unknown flag: --loud; see band guitar play --help", true},
		"flags that exclude":    {[]string{"guitar", "play", "--soft", "--fast"}, "if any flags in the group [soft fast] are set none of the others can be; [fast soft] were all set; see band guitar play --help", true},
		"help about nothing":    {[]string{"help", "guitar", "plya"}, `unknown command "plya" for "band guitar"; did you mean play? see band guitar --help`, true},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree()
			root.SetArgs(c.args)
			err := root.Execute()
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
			var bad *usage.Error
			assert.Equal(t, c.bad, errors.As(err, &bad))
		})
	}
}

func TestNoErrorIsNoBadInput(t *testing.T) {
	assert.NoError(t, usage.Bad(nil))
	assert.ErrorIs(t, usage.Bad(errPlay), errPlay)
}
