package postgres

import "time"

var started = time.Now()

// sinceStart is the time since the process began, by the wall clock or the
// monotonic one, whichever has gone further: the one may be set back, and the
// other stands still in suspend.
func sinceStart() time.Duration {
	return max(time.Since(started), time.Now().Round(0).Sub(started.Round(0)))
}
