//go:build unix

package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// lockCommand is fcntl's command for a lock of an open file. Such a lock stands
// against others of the same process, and outlasts the closing of another file
// descriptor. Systems without it have locks of a process.
func lockCommand() int {
	switch runtime.GOOS {
	case "linux":
		return 37 // F_OFD_SETLK of <fcntl.h>
	case "darwin":
		return 90 // F_OFD_SETLK of <sys/fcntl.h>
	}
	return unix.F_SETLK
}

// lockByte locks one byte of a file, or returns errTaken.
func lockByte(f *os.File, at int64) error { return setLock(f, at, unix.F_WRLCK) }

// byteIsTaken reports whether another process has locked a byte of a file.
func byteIsTaken(f *os.File, at int64) bool {
	if err := setLock(f, at, unix.F_RDLCK); err != nil {
		return errors.Is(err, errTaken)
	}
	setLock(f, at, unix.F_UNLCK) // what cannot be unlocked goes with the file
	return false
}

func setLock(f *os.File, at int64, kind int16) error {
	lock := func(command int) error {
		return unix.FcntlFlock(f.Fd(), command, &unix.Flock_t{Type: kind, Start: at, Len: 1})
	}
	err := lock(lockCommand())
	if errors.Is(err, unix.EINVAL) { // an older system
		err = lock(unix.F_SETLK)
	}
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return errTaken
	}
	return err
}

// manyNames reports whether a file has more than one name.
func manyNames(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink > 1
}
