package sqlite

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// lockByte locks one byte of a file, or returns errTaken.
func lockByte(f *os.File, at int64) error {
	return setLock(f, at, windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY)
}

// byteIsTaken reports whether another process has locked a byte of a file.
func byteIsTaken(f *os.File, at int64) bool {
	if err := setLock(f, at, windows.LOCKFILE_FAIL_IMMEDIATELY); err != nil {
		return errors.Is(err, errTaken)
	}
	windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, place(at)) // what cannot be unlocked goes with the file
	return false
}

func place(at int64) *windows.Overlapped {
	return &windows.Overlapped{Offset: uint32(at), OffsetHigh: uint32(at >> 32)}
}

func setLock(f *os.File, at int64, flags uint32) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, place(at))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errTaken
	}
	return err
}

// manyNames reports whether a file has more than one name, which is not to be
// seen here.
func manyNames(fs.FileInfo) bool { return false }
