//go:build unix

package cli

import "golang.org/x/sys/unix"

// noCoreFile keeps the system from writing the process's memory to disk.
func noCoreFile() { _ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }
