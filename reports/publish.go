package reports

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// workPrefix begins the names of everything unfinished beside a results file.
const workPrefix = ".leadload-report-"

// lockName is the file inside a work folder that its owner keeps locked. The
// lock dies with its process, so a folder whose lock is free was left behind.
const lockName = "lock"

// lockDelay is how long an owner may take from making a folder to locking it.
const lockDelay = 10 * time.Second

// workshop is a private folder beside the results file to be. It holds the
// file while it is written, and excelize's own temporary files: beside the
// result, because the system's temporary folder is often kept in memory.
type workshop struct {
	dir  string
	lock *flock.Flock
}

// newWorkshop makes a work folder in folder and clears away what a killed
// process left there.
func newWorkshop(folder string) (*workshop, error) {
	sweep(folder)
	for range 3 {
		dir, err := os.MkdirTemp(folder, workPrefix) // mode 0700
		if err != nil {
			return nil, err
		}
		w := &workshop{dir: dir, lock: flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o600))}
		// A file system without locks must not keep anyone from their results.
		// Somebody sweeping may have taken the folder for an old one meanwhile.
		if ok, err := w.lock.TryLock(); ok || (err != nil && isFolder(dir)) {
			if isFolder(dir) {
				return w, nil
			}
		}
		w.remove()
	}
	return nil, errors.New("its temporary folder vanishes as soon as it is made")
}

func (w *workshop) remove() error { return removeLocked(w.dir, w.lock) }

// size is the number of bytes in the work folder.
func (w *workshop) size() int64 {
	var n int64
	entries, _ := os.ReadDir(w.dir) // an estimate for an error's hint
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}

// sweep removes work folders whose process is gone. It is a kindness: whatever
// it cannot do is left to the next time.
func sweep(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), workPrefix) {
			continue
		}
		path := filepath.Join(folder, e.Name())
		if !e.IsDir() { // of PathFor's trial
			if info, err := e.Info(); err == nil && info.Size() == 0 && time.Since(info.ModTime()) > lockDelay {
				os.Remove(path)
			}
			continue
		}
		name := filepath.Join(path, lockName)
		if _, err := os.Lstat(name); err != nil {
			if info, err := e.Info(); err != nil || time.Since(info.ModTime()) < lockDelay {
				continue
			}
		}
		lock := flock.New(name, flock.SetPermissions(0o600))
		if ok, err := lock.TryLock(); err != nil || !ok {
			lock.Close()
			continue
		}
		removeLocked(path, lock)
	}
}

// make writes a file in full and then gives it the first free name for path.
// write gets the open file; nothing of it is visible before it has returned
// and everything is on disk.
func (w *workshop) make(path string, write func(*os.File) error) (string, error) {
	temp := filepath.Join(w.dir, "results")
	f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	err = write(f)
	if err == nil {
		// A name for a file whose bytes are not on disk yet could, after a
		// power cut, be the name of an empty file.
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	for n := 1; n < 10000; n++ {
		name := path
		if n > 1 {
			ext := filepath.Ext(path)
			name = strings.TrimSuffix(path, ext) + "-" + strconv.Itoa(n) + ext
		}
		err := publish(temp, name)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		return name, syncFolder(filepath.Dir(name))
	}
	return "", fmt.Errorf("all names up to number 9999 are taken")
}
