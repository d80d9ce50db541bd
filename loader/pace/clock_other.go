//go:build !linux

package pace

// bootClock is the clock since boot: only Linux names its boots.
func bootClock() (boot string, read func() int64, ok bool) { return "", nil, false }
