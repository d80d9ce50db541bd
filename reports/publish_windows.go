package reports

import (
	"errors"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
	"golang.org/x/sys/windows"
)

// publish gives the finished file temp its name; the error is fs.ErrExist
// when the name is taken. Unlike os.Rename it replaces nothing.
func publish(temp, name string) error {
	from, err := windows.UTF16PtrFromString(temp)
	if err != nil {
		return err
	}
	to, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	err = windows.MoveFileEx(from, to, windows.MOVEFILE_WRITE_THROUGH)
	if errors.Is(err, windows.ERROR_ALREADY_EXISTS) || errors.Is(err, windows.ERROR_FILE_EXISTS) {
		return fs.ErrExist
	}
	return err
}

// removeLocked removes a work folder. The lock goes first: an open file cannot
// be removed.
func removeLocked(dir string, lock *flock.Flock) error {
	return errors.Join(lock.Close(), os.RemoveAll(dir))
}

// syncFolder has nothing to do: MOVEFILE_WRITE_THROUGH waits for the disk.
func syncFolder(string) error { return nil }

func diskFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
