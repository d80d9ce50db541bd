package loader

import (
	"sync/atomic"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/send"
	"leadload/loader/settle"
)

// live counts what a progress line shows, while it happens.
type live struct {
	phase   atomic.Value // Phase
	run     atomic.Int64 // its number in the ledger
	total   atomic.Int64
	started atomic.Int64 // Unix nanoseconds at which sending began
	read    atomic.Int64 // records read back, or taken back
	rows    [ledger.NumResults]atomic.Int64
}

// counts returns the rows so far by result.
func (l *live) counts() (c ledger.Counts) {
	for r := range c {
		c[r] = l.rows[r].Load()
	}
	return c
}

// reset begins the numbers of another file.
func (l *live) reset() {
	l.run.Store(0)
	l.total.Store(0)
	l.started.Store(0)
	l.read.Store(0)
	for r := range l.rows {
		l.rows[r].Store(0)
	}
}

// tally counts rows that came to a state, or with a minus left it.
func (l *live) tally(state ledger.State, n int64) {
	if state != ledger.Ready {
		l.rows[ledger.ResultOf(ledger.Due, state, false)].Add(n)
	}
}

// updated is tally for rows that are updated.
func (l *live) updated(state ledger.State, n int64) {
	if state != ledger.Ready {
		l.rows[ledger.ResultOf(ledger.Changing, state, false)].Add(n)
	}
}

// Phase is what a run is doing.
type Phase string

// The phases of a run.
const (
	Planning Phase = "checking rows"
	Sending  Phase = "sending"
	Settling Phase = settle.Asking
	Polling  Phase = settle.Polling
	Undoing  Phase = "taking back"
	Reading  Phase = "reading the account back"
)

// Snapshot is a look at a running import.
type Snapshot struct {
	Run              int64 // its number in the ledger; 0 before it has one
	Phase            Phase
	Rows             int64         // Planning: rows seen; later: rows to send, to read or to take back
	Read             int64         // Reading, Undoing: of the Rows, those that the account has shown, or that are taken back
	Results          ledger.Counts // of the rows sent
	Calls, Throttled int64         // of both limits
	Bulk             int64         // of Calls, those that took many records
	Limit            string
	Paused           time.Duration
	Since            time.Time     // when sending began
	Left             time.Duration // at the limit, for what is left
}

// Done returns the number of rows sent and answered.
func (s Snapshot) Done() int64 { return s.Results.Sum() }

// Snapshot looks at the running import; it may be called at any time.
func (s *Session) Snapshot() Snapshot {
	st, calls := s.pacer.State(), s.calls()
	v := Snapshot{
		Run: s.live.run.Load(), Rows: s.live.total.Load(), Results: s.live.counts(), Read: s.live.read.Load(),
		Calls: calls.Calls, Throttled: calls.Throttled, Bulk: calls.Bulk, Limit: s.limits(),
	}
	v.Phase, _ = s.live.phase.Load().(Phase)
	if d := time.Until(st.PausedTil); !st.PausedTil.IsZero() && d > 0 {
		v.Paused = d
	}
	if n := s.live.started.Load(); n > 0 {
		v.Since = time.Unix(0, n)
		left := max(v.Rows-v.Done(), 0)
		v.Left = s.pacer.Earliest(left)
		if v.Bulk > 0 {
			_, v.Left = s.lanes().share(0, left)
		}
	}
	return v
}

// callCount is how many calls a session has made, and how many of them were turned away.
type callCount struct{ Calls, Throttled, Bulk int64 }

// calls counts the calls of both limits.
func (s *Session) calls() callCount {
	st := s.pacer.State()
	c := callCount{Calls: st.Calls, Throttled: st.Throttled}
	if s.bulk != nil {
		many := s.bulk.State()
		c.Bulk = many.Calls
		c.Calls, c.Throttled = c.Calls+many.Calls, c.Throttled+many.Throttled
	}
	return c
}

// lanes returns the account's limits as they are known now.
func (s *Session) lanes() lanes {
	l := lanes{single: s.pacer.State().Limit}
	if s.bulk != nil {
		l.bulk = s.bulk.State().Limit
	}
	return l
}

// shut reports whether it is known that the account's answers to one of the bulk calls
// cannot be read.
func (s *Session) shut(updates bool) bool {
	kind := send.Creates
	if updates {
		kind = send.Updates
	}
	return s.many().Learned[kind].Why != ""
}

// limits names the account's limits as they are known now.
func (s *Session) limits() string {
	text := s.pacer.State().Limit.String()
	if s.bulk != nil {
		text += " + bulk " + s.bulk.State().Limit.String()
	}
	return text
}
