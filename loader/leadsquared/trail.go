package leadsquared

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Activity is one entry of a lead's activity trail. The id of an opportunity is
// the id of its activity.
type Activity struct {
	ID         string
	EventCode  int
	CreatedOn  time.Time         // UTC, whole seconds, by the account's clock; never zero
	ModifiedOn time.Time         // likewise; zero where the answer has none that can be read
	Data       map[string]string // the few fields that the trail carries
}

// TrailPage is one page of a trail.
type TrailPage struct {
	Total      int // RecordCount
	Activities []Activity
}

// trailRows is the number of activities asked for at a time: the vendor's
// page has 25 as the default and 50 in its example for more. An account
// that gives fewer is understood.
const trailRows = 50

// TrailPage reads one page of a lead's activities of one event code
// (ProspectActivity Retrieve). What offset means is not settled: the vendor's page calls
// it a page number, accounts have been seen to count activities. A
// TrailReader finds out and reads the whole trail.
func (c *Client) TrailPage(ctx context.Context, s Slot, leadID string, eventCode, offset int) (TrailPage, Outcome) {
	if leadID = strings.TrimSpace(leadID); leadID == "" {
		return TrailPage{}, invalid("no lead id to read a trail of")
	}
	type parameter struct {
		ActivityEvent int `json:",omitempty"`
	}
	k := postCall(pathTrail, struct {
		Parameter parameter
		Paging    struct{ Offset, RowCount string }
	}{
		Parameter: parameter{eventCode},
		Paging:    struct{ Offset, RowCount string }{strconv.Itoa(offset), strconv.Itoa(trailRows)},
	}, "leadId", leadID)
	return ask(ctx, c, s, k, func(o Outcome, doc any) (TrailPage, Outcome) {
		if o.Verdict != Applied {
			return TrailPage{}, o
		}
		page, o := readTrail(o, doc, eventCode)
		if o.Verdict == Applied && ofOthers(doc, leadID, "ProspectActivities", "List") {
			return TrailPage{}, misread(o, "the activity trail asked for: all its entries are another lead's")
		}
		return page, o
	})
}

// ofOthers reports whether a list of things that name their leads has nothing of a lead: an
// answer to another question. A lead that others were merged into has things of theirs
// beside its own.
func ofOthers(doc any, leadID string, names ...string) bool {
	list, _, ok := rows(doc, names...)
	for _, v := range list {
		row, _ := v.(object)
		if id := identifier(row.get("RelatedProspectId", "ProspectId")); id == "" || strings.EqualFold(id, leadID) {
			return false
		}
	}
	return ok && len(list) > 0
}

func readTrail(o Outcome, doc any, eventCode int) (TrailPage, Outcome) {
	if top, ok := doc.(object); ok {
		if n, ok := top.integer("RecordCount"); ok && n > 0 {
			// A page past the end has the count and no activities: right here,
			// a contradiction elsewhere.
			if l, isList := top.get("ProspectActivities", "List").([]any); isList && len(l) == 0 || !isList && top.get("ProspectActivities", "List") == nil {
				return TrailPage{Total: n}, o
			}
		}
	}
	list, total, ok := rows(doc, "ProspectActivities", "List")
	if !ok {
		return TrailPage{}, misread(o, "an activity trail")
	}
	page := TrailPage{Total: max(total, len(list))}
	for _, v := range list {
		row, ok := v.(object)
		if !ok {
			return TrailPage{}, misread(o, "an activity trail")
		}
		a := Activity{
			ID:         identifier(row.get("Id", "ProspectActivityId", "ActivityId")),
			CreatedOn:  row.time("CreatedOn"),
			ModifiedOn: row.time("ModifiedOn"),
			Data:       map[string]string{},
		}
		var coded bool
		a.EventCode, coded = row.integer("EventCode", "ActivityEvent")
		// An activity that cannot be placed might be the very one that is
		// looked for, so the page is not usable.
		switch {
		case a.ID == "":
			return TrailPage{}, misread(o, "an activity trail: an activity has no id")
		case a.CreatedOn.IsZero():
			return TrailPage{}, misread(o, "an activity trail: an activity has no date that can be read")
		case !coded && eventCode != 0:
			a.EventCode = eventCode // asked for, and left out of the answer
		}
		if fields, ok := row.object("ActivityFields"); ok {
			a.Data = flat(fields)
		}
		maps.Copy(a.Data, pairsOf(row.get("Data")))
		page.Activities = append(page.Activities, a)
	}
	return page, o
}

// TrailReader says which pages of a trail to ask for and puts them
// together, whichever meaning the account gives to an offset:
//
//	r := leadsquared.NewTrailReader(eventCode)
//	for offset, more := r.Next(); more; offset, more = r.Next() {
//		… a slot …
//		page, o := c.TrailPage(ctx, slot, leadID, eventCode, offset)
//		… stop unless o.Verdict is Applied …
//		r.Add(page)
//	}
//	activities, err := r.Activities()
//
// It is pure and serves one trail.
type TrailReader struct {
	event   int
	seen    map[string]bool
	all     []Activity
	total   int // the highest RecordCount seen
	steps   int
	size    int  // activities on the first page
	counted bool // RecordCount is known to be of the trail, not of the page
	phase   trailPhase
	page    int // phase pages: the page to ask for next
	barren  int // pages in a row that brought nothing new
	done    bool
	memory  *trailMemory
}

type trailPhase uint8

const (
	firstPage trailPhase = iota
	byItems              // offset counts activities
	byPages              // offset counts pages, from 0 or from 1
	again                // the first page once more: something came in meanwhile
)

// trailMemory keeps what a client has learnt of its account's trails.
type trailMemory struct {
	pages  atomic.Bool // offsets count pages
	totals atomic.Bool // RecordCount is of the trail
}

// maxTrailPages bounds the reading of one trail: 100,000 activities.
const maxTrailPages = 4000

// NewTrailReader starts a trail of activities of one event code; 0 is all codes.
func NewTrailReader(eventCode int) *TrailReader {
	return &TrailReader{event: eventCode, seen: map[string]bool{}, memory: &trailMemory{}}
}

// NewTrailReader starts a trail, with what the client has learnt from others of its account.
func (c *Client) NewTrailReader(eventCode int) *TrailReader {
	r := NewTrailReader(eventCode)
	r.memory = &c.trailMeanings
	return r
}

// Next gives the offset to ask for; false says that there is nothing more to ask.
func (r *TrailReader) Next() (offset int, more bool) {
	if r.done || r.steps >= maxTrailPages {
		return 0, false
	}
	switch r.phase {
	case byItems:
		return len(r.all), true
	case byPages:
		return r.page, true
	}
	return 0, true
}

// Add takes the page at the offset that Next gave.
func (r *TrailReader) Add(p TrailPage) {
	if r.done {
		return
	}
	r.steps++
	fresh := 0
	for _, a := range p.Activities {
		id := strings.ToLower(a.ID)
		if !r.seen[id] {
			r.seen[id] = true
			r.all = append(r.all, a)
			fresh++
		}
	}
	r.total = max(r.total, p.Total)
	if p.Total > len(p.Activities) && len(p.Activities) > 0 {
		r.counted = true
		r.memory.totals.Store(true)
	}
	switch r.phase {
	case firstPage:
		r.size = len(p.Activities)
		if r.complete() || r.size == 0 {
			r.done = true // a first page without activities ends it: nothing, or a count that Activities reports
			return
		}
		r.phase, r.page = byItems, 1
		if r.memory.pages.Load() || len(r.all) >= r.total {
			// Where the count is reached and is in question, the offsets 1 and 2
			// bring something new under either meaning if there is anything.
			r.phase = byPages
		}
	case byItems:
		if fresh == 0 {
			// Past the end of a trail whose offsets count pages, or its end.
			r.phase = byPages
		}
	case byPages:
		r.page++
		if r.barren++; fresh > 0 {
			r.barren = 0
		}
		switch {
		case fresh == r.size && fresh > 1:
			r.memory.pages.Store(true)
		case fresh == 1 && len(p.Activities) == r.size && r.size > 2:
			r.phase = byItems // one further on: offsets count activities
		case r.barren < 2: // page 1 may be the first page again
		case len(r.all) >= r.total:
			r.done = true
		default:
			r.phase = again
		}
	case again:
		r.done = true
	}
	if r.complete() {
		r.done = true
	}
}

// complete reports that all activities have been read. Where RecordCount
// might be of the page and the page is full, it proves nothing.
func (r *TrailReader) complete() bool {
	if len(r.all) < r.total {
		return false
	}
	if r.counted || r.memory.totals.Load() || r.phase == again {
		return true
	}
	return r.size == 0 || r.size%25 != 0
}

// Others returns the number of activities that have another code than was asked for.
func (r *TrailReader) Others() int {
	n := 0
	for _, a := range r.all {
		if r.event != 0 && a.EventCode != r.event {
			n++
		}
	}
	return n
}

// Activities gives the whole trail, or an error where it could not be read
// whole. With an event code, activities of other codes are left out.
func (r *TrailReader) Activities() ([]Activity, error) {
	if r.steps == 0 || !r.done || len(r.all) < r.total {
		return nil, fmt.Errorf("the trail has %d activities, of which %d could be read", r.total, len(r.all))
	}
	var mine []Activity
	for _, a := range r.all {
		if r.event == 0 || a.EventCode == r.event {
			mine = append(mine, a)
		}
	}
	return mine, nil
}
