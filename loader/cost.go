package loader

import (
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/pace"
	"leadload/mapping"
)

// BulkPlan is what a plan says of the calls that take many records.
type BulkPlan struct {
	Limit string        // "5/5s"; "" where no such calls are made
	Rows  int64         // that go in them
	Calls int64         // that they take, among the plan's calls
	Alone time.Duration // how long the plan takes without them
	Why   string        // why new rows go singly, in words that follow "because"; "" where they need not
}

// lanes is what the account's two limits allow.
type lanes struct {
	single, bulk pace.Limit // bulk is zero where no such calls are made
}

// in returns how many calls fit into a time, the first of them at once.
func in(l pace.Limit, d time.Duration) int64 {
	if l.Calls <= 0 || l.Window <= 0 {
		return 0
	}
	return int64(l.Calls) * (int64(d/l.Window) + 1)
}

// share returns how many of the rows that may go in bulk do, and how long all takes at
// best: singly are the calls that a plan costs beside them.
func (l lanes) share(singly, rows int64) (bulk int64, took time.Duration) {
	if l.single.Calls <= 0 {
		return rows, 0 // nothing waits
	}
	fits := func(d time.Duration) bool {
		free := in(l.single, d) - singly
		return free >= 0 && free+leadsquared.MaxBulk*in(l.bulk, d) >= rows
	}
	lo, hi := time.Duration(-1), time.Duration(1)
	for !fits(hi) && hi < 1<<60 {
		lo, hi = hi, 2*hi
	}
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; fits(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return min(rows, leadsquared.MaxBulk*in(l.bulk, hi)), hi
}

// bulk works the calls that take many records into a plan, whose Calls and Time are
// those of single calls. updates says whether what changes goes in such calls.
func (p *Plan) bulk(l lanes, m *mapping.Mapping, shut func(updates bool) bool) {
	if l.bulk.Calls == 0 {
		return
	}
	p.Bulk = BulkPlan{Limit: l.bulk.String(), Alone: p.Time}
	rows := int64(0)
	if p.Ready() > 0 {
		if p.Bulk.Why = m.AmongMany(); p.Bulk.Why == "" && !shut(false) {
			rows += p.Ready()
		}
	}
	if p.Updates() > 0 && m.Target == mapping.Opportunity && !shut(true) {
		rows += p.Updates()
	}
	if rows < 2 {
		return
	}
	p.Bulk.Rows, p.Time = l.share(p.Calls-rows, rows)
	p.Bulk.Calls = (p.Bulk.Rows + leadsquared.MaxBulk - 1) / leadsquared.MaxBulk
	p.Calls += p.Bulk.Calls - p.Bulk.Rows
}
