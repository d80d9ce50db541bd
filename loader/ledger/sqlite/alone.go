package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"

	"leadload/loader/ledger"
)

// aloneAt is the byte of the ledger's file that the run which writes it has
// locked: beyond everything that SQLite writes or locks. The system takes the
// lock back when the process dies, and nobody can delete it, as one could a
// file beside the ledger.
const aloneAt = 1 << 62

// errTaken says that another process has the lock.
var errTaken = errors.New("another process has locked it")

// openFile opens the ledger's file for the lock, or to see who has it. The file stays open as long as
// the ledger: on some systems a process that closes a file gives up all locks
// that it has on it, those of SQLite as well.
func (l *Ledger) openFile(readOnly bool) (err error) {
	flag := os.O_RDWR
	if readOnly {
		flag = os.O_RDONLY
	}
	l.file, err = os.OpenFile(l.path, flag, 0)
	return err
}

// beside reports whether a run writes the ledger at this moment, other than this one.
func (l *Ledger) beside() bool { return l.file != nil && byteIsTaken(l.file, aloneAt) }

// alone takes the ledger for this process, unless it has it. The error is a
// *ledger.Held when another has it; account is whose run is about to begin, or 0.
func (l *Ledger) alone(ctx context.Context, account int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mine {
		return nil
	}
	err := lockByte(l.file, aloneAt)
	if errors.Is(err, errTaken) {
		return l.heldBy(ctx, account)
	}
	if err != nil {
		return &ledger.Error{Code: "ledger.write", Place: ledger.At(l.path), Msg: "it cannot be locked, so that another run might write it at the same time", Err: bare(err),
			Hint: "put the ledger on a disk of this machine, and name it with --ledger"}
	}
	l.mine = true
	return nil
}

// isMine reports whether this process has the ledger.
func (l *Ledger) isMine() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mine
}

// Alone takes the whole ledger for this process until Close. The error says who has it.
func (l *Ledger) Alone(ctx context.Context) error {
	err := l.alone(ctx, 0)
	var held *ledger.Held
	if errors.As(err, &held) {
		return &ledger.Error{Code: "account.busy", Place: ledger.At(l.path), Msg: "another run writes it: " + held.Error(), Hint: "wait for it to end and type the same command again"}
	}
	return err
}

// heldBy returns who has the ledger: whoever took the newest lease.
func (l *Ledger) heldBy(ctx context.Context, account int64) error {
	held := &ledger.Held{Holder: ledger.Holder{Who: "another process", Command: "import"}, Since: time.Now()}
	var since, of int64
	err := l.db.QueryRowContext(ctx, "SELECT account, who, command, since FROM leases ORDER BY since DESC LIMIT 1").Scan(&of, &held.Who, &held.Command, &since)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return l.fault(err)
	}
	if err == nil {
		held.Since, held.Elsewhere = time.UnixMilli(since), of != account
	}
	return held
}
