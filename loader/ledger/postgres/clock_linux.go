package postgres

import (
	"time"

	"golang.org/x/sys/unix"
)

// elapsed is the time since some moment, by a clock that nobody sets and that
// runs on in suspend.
func elapsed() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return sinceStart()
	}
	return time.Duration(ts.Nano())
}
