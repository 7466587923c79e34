package labcmd

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsPrintedForEvalIsOneWordWhateverIsInIt(t *testing.T) {
	for _, path := range []string{"/plain", "/a b", "/a;echo broken", "/it's", "/$(echo broken)", "/a\nb", `/"`} {
		var script strings.Builder
		export(&script, "WORD", quoted(path))
		script.WriteString(`printf %s "$WORD"`)
		out, err := exec.CommandContext(t.Context(), "sh", "-c", script.String()).Output()
		require.NoError(t, err)
		assert.Equal(t, path, string(out))
	}
}
