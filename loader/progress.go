package loader

import (
	"sync/atomic"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/settle"
)

// live counts what a progress line shows, while it happens.
type live struct {
	phase   atomic.Value // Phase
	run     atomic.Int64 // its number in the ledger
	total   atomic.Int64
	started atomic.Int64 // Unix nanoseconds at which sending began
	read    atomic.Int64 // records read back
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
	Rows             int64         // Planning: rows seen; later: rows to send
	Read             int64         // Reading: of the Rows, those that the account has shown
	Results          ledger.Counts // of the rows sent
	Calls, Throttled int64
	Limit            string
	Paused           time.Duration
	Since            time.Time     // when sending began
	Left             time.Duration // at the limit, for what is left
}

// Done returns the number of rows sent and answered.
func (s Snapshot) Done() int64 { return s.Results.Sum() }

// Snapshot looks at the running import; it may be called at any time.
func (s *Session) Snapshot() Snapshot {
	st := s.pacer.State()
	v := Snapshot{
		Run: s.live.run.Load(), Rows: s.live.total.Load(), Results: s.live.counts(), Read: s.live.read.Load(),
		Calls: st.Calls, Throttled: st.Throttled, Limit: st.Limit.String(),
	}
	v.Phase, _ = s.live.phase.Load().(Phase)
	if d := time.Until(st.PausedTil); !st.PausedTil.IsZero() && d > 0 {
		v.Paused = d
	}
	if n := s.live.started.Load(); n > 0 {
		v.Since = time.Unix(0, n)
		v.Left = s.pacer.Earliest(max(v.Rows-v.Done(), 0))
	}
	return v
}
