package kind_test

import (
	"os"
	"testing"

	"github.com/meshfed/meshfed/cluster/kind"
)

// TestMain lets the test binary be an engine's processes, too.
func TestMain(m *testing.M) {
	kind.Main()
	os.Exit(m.Run())
}
