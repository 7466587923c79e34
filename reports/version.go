package reports

import "runtime/debug"

// Version is that of this build of the harness, as Go recorded it: the
// SuiteVersion of the runs that it makes.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
