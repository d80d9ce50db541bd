package pace

import "time"

// clock is the time that processes share. On Linux it is CLOCK_BOOTTIME, which
// nobody sets and which runs on in suspend, named by the boot that it belongs
// to. Elsewhere it is the wall clock.
type clock struct {
	boot string // "" for the wall clock
	read func() int64
	wall func() int64
}

func systemClock() clock {
	wall := func() int64 { return time.Now().UnixNano() }
	if boot, read, ok := bootClock(); ok {
		return clock{boot: boot, read: read, wall: wall}
	}
	return clock{read: wall, wall: wall}
}

// skew is what turns a time of this clock into wall time.
func (c clock) skew() int64 {
	if c.boot == "" {
		return 0
	}
	return c.wall() - c.read()
}
