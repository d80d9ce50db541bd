package pace

import (
	"database/sql"
	"time"
)

// Store is where a Table keeps the calls to an account: a file for the processes
// of one machine, or a database for those of several.
type Store interface {
	// Clock returns the clock that all who use the store share.
	Clock() Clock
	// Round makes one transaction, beside which the account has no other. It
	// writes news, reads what the pacer by needs, and writes what decide returns;
	// without decide it only writes. decide may be called more than once. An error
	// says where the store is; it cannot be used any more.
	Round(news []News, by Asker, decide func(*Book) (Changes, error)) error
	// Close ends the use of the store.
	Close() error
}

// Clock is the time that processes share.
type Clock struct {
	Boot string // names the boot whose clock Read is; "": every user of the store reads the same
	Read func() int64
	Wall func() int64
}

// skew is what turns a time of this clock into wall time.
func (c Clock) skew() int64 {
	if c.Boot == "" {
		return 0
	}
	return c.Wall() - c.Read()
}

// Asker is the pacer that a round is made for.
type Asker struct {
	Owner int64 // its number
	Set   Limit // names the controller's state
}

// News is something about a call that the store has not been told yet.
type News struct {
	Kind       NewsKind
	Owner, Seq int64
	At         int64 // by the store's clock
}

// NewsKind says what is news about a call.
type NewsKind uint8

// The kinds of news.
const (
	Wrote    NewsKind = iota // its request has left
	Answered                 // the first byte of its answer is there
	Refused                  // the account refused it because of the limit
	Over                     // it holds no slot any more
)

// Book is what a store has of an account. Times are in ns by the clock of Boot.
type Book struct {
	// Moved says that the shared clock was set since the latest round: times of
	// before mean nothing.
	Moved bool
	// Apart is by how much the clocks of two users can differ.
	Apart  time.Duration
	Calls  []CallRow // of other pacers
	Pacers []PacerRow
	State  StateRow // without a text: there is none
}

// CallRow is a call.
type CallRow struct {
	Owner, Seq  int64
	Boot        string // whose clock the times are by
	Skew        int64  // turns them into wall time
	Sent        int64
	Wrote, Resp sql.NullInt64
	Limited     bool
}

// PacerRow is what a pacer says of itself.
type PacerRow struct {
	Owner int64
	Wall  int64         // when the row was written, by the wall clock
	Seen  int64         // and by the store's
	Trip  time.Duration // the smallest round trip, or 0
	Since int64         // when the call whose turn it is began to wait for others' slots
	Until int64         // the pacer looks again before then; 0 if no call waits
}

// StateRow is what the pacers of a limit have learned.
type StateRow struct {
	Version int64
	At      int64 // wall time
	Text    string
}

// Changes are what a round writes, in this order.
type Changes struct {
	EndAll  int64     // not 0: every call was over by then
	Restamp []CallRow // their boot, skew and times
	Over    []CallRow
	Pacer   *PacerRow
	State   *StateRow
	Start   []CallRow
}
