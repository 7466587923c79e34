package load

import "time"

// sleeper waits. That of the language wakes up to a millisecond late in a
// process that has nothing else to do, which would be most of what is measured.
type sleeper func(time.Duration)
