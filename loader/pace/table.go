package pace

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync"
)

// Table remembers an account's calls for other processes and for the next one.
// What is lost with a power cut is not missed, since the windows it was about are
// over by then.
//
// A Table can be given to several pacers; each counts as a process of its own.
type Table struct {
	store Store
	clock Clock

	io  sync.Mutex // one transaction at a time
	err error      // why it cannot be used

	mu   sync.Mutex
	pend []News
}

// errClosed ends the use of a table without ado.
var errClosed = errors.New("the table is closed")

// NewTable returns the table in a store, which it closes with itself.
func NewTable(s Store) *Table { return &Table{store: s, clock: s.Clock()} }

// OpenTable opens the table of an account in the file at path, which is made,
// with mode 0600 and its folder, if it is not there. account is any name for the
// account that is the same for all its processes; the file holds only its hash.
//
// The Table that comes with an error remembers nothing and can be used: a pacer
// that is given it says "memory-lost" and works alone.
func OpenTable(path, account string) (*Table, error) {
	return openTable(path, account, systemClock())
}

func openTable(path, account string, clk Clock) (*Table, error) {
	f, err := openFile(path, account, clk)
	t := NewTable(f)
	t.err = err
	return t, err
}

// note keeps news for the next transaction.
func (t *Table) note(kind NewsKind, owner, seq int64) {
	n := News{Kind: kind, Owner: owner, Seq: seq, At: t.clock.Read()}
	t.mu.Lock()
	t.pend = append(t.pend, n)
	t.mu.Unlock()
}

// news returns what waits to be told.
func (t *Table) news() []News {
	t.mu.Lock()
	defer t.mu.Unlock()
	pend := t.pend
	t.pend = nil
	return pend
}

// round makes one transaction. After an error the table cannot be used any more.
func (t *Table) round(a ask) (told, error) {
	t.io.Lock()
	defer t.io.Unlock()
	if t.err != nil {
		return told{}, t.err
	}
	var r told
	t.err = t.store.Round(t.news(), Asker{Owner: a.owner, Set: a.set}, func(b *Book) (c Changes, err error) {
		r, c, err = a.decide(t.clock, b)
		return c, err
	})
	return r, t.err
}

// Close tells the store what it has not been told yet and closes it. Pacers that
// still use the table go on without memory. A process that ends without it loses
// no more than a moment's news.
func (t *Table) Close() error {
	t.io.Lock()
	defer t.io.Unlock()
	if t.err == errClosed {
		return nil
	}
	var err error
	if t.err == nil { // else the pacers have said so
		err = t.store.Round(t.news(), Asker{}, nil)
	}
	t.err = errClosed
	return errors.Join(err, t.store.Close())
}

// newOwner is a number for a pacer that no other has.
func newOwner() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return int64(binary.NativeEndian.Uint64(b[:]) >> 1)
}
