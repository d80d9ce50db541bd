package sandbox

import (
	"maps"
	"time"
)

// CallRecord is one call that reached the account.
type CallRecord struct {
	Number      int64     // from 1 on, as records have it (Call)
	Time        time.Time // when it was counted, by this machine's clock
	Method      string
	Path        string
	Query       string        // URL parameters without the keys
	Status      int           // HTTP status of the answer; 0 where the connection was cut or held
	Limited     bool          // turned away by the rate limit or the daily cap
	Fault       string        // name of the fault that hit it; "" is none
	Outage      string        // the outage that hit it; "" is none
	KeysInQuery bool          // its keys came in the URL, where logs and proxies see them
	Bytes       int           // of the request's body
	Took        time.Duration // from counting to the end of the answer
}

// Counters are sums since the start or the last reset.
type Counters struct {
	Calls        int64            // everything that reached the account
	Creates      int64            // calls within the limit that make a record: Capture, sales activity Create, async capture
	Updates      int64            // calls within the limit that change one, check-in and check-out
	Reads        int64            // calls within the limit that only look
	Limited      int64            // turned away by the rate limit
	Capped       int64            // turned away by the daily cap
	Refused      int64            // answered 4xx or with an exception for any other reason
	Unauthorized int64            // of those, 401
	Outages      int64            // hit by an outage
	Faults       map[string]int64 // injected, by name
	MaxInWindow  int              // most arrivals, accepted or turned away, in any sliding window; a rival's calls are not in it
	RivalCalls   int64            // calls within the limit that another integration made
	RivalLimited int64            // its calls that were turned away

	Leads           int // records held
	Opportunities   int
	SalesActivities int
	Pending         int // async captures in the queue
}

// ring keeps the latest call records.
type ring struct {
	kept []CallRecord
	next int
	size int
}

func (r *ring) add(c CallRecord) {
	if len(r.kept) < r.size {
		r.kept = append(r.kept, c)
		return
	}
	r.kept[r.next] = c
	r.next = (r.next + 1) % r.size
}

func (r *ring) all() []CallRecord {
	out := make([]CallRecord, 0, len(r.kept))
	out = append(out, r.kept[r.next:]...)
	return append(out, r.kept[:r.next]...)
}

// Calls gives the latest calls in the order of their ends: at most Options.KeptCalls of them, calls under way left out.
func (a *Account) Calls() []CallRecord {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ring.all()
}

// Count gives the sums so far.
func (a *Account) Count() Counters {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	return a.counters()
}

func (a *Account) counters() Counters {
	c := a.count
	c.Faults = maps.Clone(a.count.Faults)
	c.MaxInWindow = a.busiest.most
	c.RivalCalls, c.RivalLimited = a.window.rival.accepted, a.window.rival.refused
	c.Leads, c.Opportunities, c.SalesActivities = len(a.store.leads), len(a.store.opps)-a.store.gone.opps, len(a.store.sales)-a.store.gone.sales
	c.Pending = a.pending()
	return c
}
