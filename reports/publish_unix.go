//go:build !windows

package reports

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/gofrs/flock"
)

// publish gives the finished file temp its name; the error is fs.ErrExist
// when the name is taken. A hard link is the one step that both makes the
// name and fails if it is there.
func publish(temp, name string) error {
	err := os.Link(temp, name)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// Some file systems (FAT, some network drives) know no links. There the
	// name is taken first, empty, and the whole file moved onto it.
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Close(), os.Rename(temp, name)); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// removeLocked removes a work folder. The lock goes last, so that nobody takes
// the folder for their own in between.
func removeLocked(dir string, lock *flock.Flock) error {
	return errors.Join(os.RemoveAll(dir), lock.Close())
}

// syncFolder puts the new name itself on disk.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return nil // a folder that may be written but not read; the file is whole all the same
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // some network file systems know no such thing
	}
	return errors.Join(err, d.Close())
}

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
