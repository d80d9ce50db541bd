package pace

import "time"

// systemClock is the clock of this machine. On Linux it is CLOCK_BOOTTIME, which
// nobody sets and which runs on in suspend, named by the boot that it belongs
// to. Elsewhere it is the wall clock.
func systemClock() Clock {
	wall := func() int64 { return time.Now().UnixNano() }
	if boot, read, ok := bootClock(); ok {
		return Clock{Boot: boot, Read: read, Wall: wall}
	}
	return Clock{Read: wall, Wall: wall}
}
