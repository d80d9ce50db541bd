package line

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"leadload/internal/fault"
)

// Lock keeps other runs off an account. It is a file lock, which the system
// takes back when its process dies, however it dies. Who holds it stands in a
// file beside it, because a locked file cannot be read on Windows.
type Lock struct {
	fl     *flock.Flock
	holder string
}

type lockHolder struct {
	PID     int       `json:"pid"`
	Machine string    `json:"machine"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

// Hold takes the lock of an account in a folder, waiting up to wait for
// another run to end. The error is of kind Busy and says who holds it since when.
func Hold(ctx context.Context, dir, name, command string, wait time.Duration, notify func(string)) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New("lock.folder", "set XDG_STATE_HOME to a folder that you may write", "the folder for locks %q cannot be made: %v", dir, fault.Pathless(err))
	}
	l := &Lock{fl: flock.New(filepath.Join(dir, name+".lock"), flock.SetPermissions(0o600)), holder: filepath.Join(dir, name+".holder")}
	deadline := time.Now().Add(wait)
	for told := false; ; {
		ok, err := l.fl.TryLock()
		if err != nil {
			return nil, fault.New("lock.folder", "set XDG_STATE_HOME to a folder that you may write", "the lock %q cannot be taken: %v", l.fl.Path(), fault.Pathless(err))
		}
		if ok {
			break
		}
		who := l.describe()
		if left := time.Until(deadline); left <= 0 {
			return nil, &fault.Fault{Code: "account.busy", Msg: "another run holds this account: " + who,
				Hint: "wait for it to end, or add --wait-lock 30m to wait for it here"}
		}
		if !told {
			notify("waiting for another run to end: " + who)
			told = true
		}
		if err := Sleep(ctx, min(250*time.Millisecond, time.Until(deadline))); err != nil {
			return nil, err
		}
	}
	machine, _ := os.Hostname() // only told to people; an empty name does no harm
	text, err := json.Marshal(lockHolder{os.Getpid(), machine, command, time.Now()})
	if err == nil {
		err = os.WriteFile(l.holder, text, 0o600)
	}
	if err != nil {
		return nil, errors.Join(fault.New("lock.folder", "free some space or set XDG_STATE_HOME", "the lock %q cannot be written: %v", l.holder, fault.Pathless(err)), l.fl.Unlock())
	}
	return l, nil
}

func (l *Lock) describe() string {
	text, err := os.ReadFile(l.holder)
	var h lockHolder
	if err != nil || json.Unmarshal(text, &h) != nil {
		return "an unknown process"
	}
	return fmt.Sprintf("process %d on %s (leadload %s) since %s", h.PID, h.Machine, h.Command, h.Since.Local().Format("2006-01-02 15:04:05"))
}

// Release ends the lock.
func (l *Lock) Release() error {
	err := os.Remove(l.holder)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.fl.Unlock())
}
