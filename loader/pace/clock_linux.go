package pace

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// bootClock is the clock since boot and the boot's name, where both are to be had.
func bootClock() (boot string, read func() int64, ok bool) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	boot = strings.TrimSpace(string(id))
	if err != nil || boot == "" {
		return "", nil, false
	}
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return "", nil, false
	}
	return boot, func() int64 {
		var ts unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) // it has worked once: the clock is there
		return ts.Nano()
	}, true
}
