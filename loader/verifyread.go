package loader

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/target"
)

// readChunk is how many records are read at once, and readPages how many where
// the account can only be read in pages of all its records.
const readChunk, readPages = leadsquared.MaxIDs, 50_000

// verifyChunk is rows whose records are read together.
type verifyChunk struct {
	rows   []verifyRow
	wanted int // rows that have a record
	back   map[string]target.Back
	leads  map[string]target.Back
	known  map[string]ledger.Baseline // by the id in the account, a blank and the field
	err    error
	done   chan struct{}
}

// add puts a row into the chunk at hand, and hands a full chunk on.
func (v *verifier) add(r verifyRow) error {
	if v.chunk == nil {
		v.chunk = &verifyChunk{done: make(chan struct{})}
	}
	c := v.chunk
	c.rows = append(c.rows, r)
	size := readChunk
	if v.lacks.any() {
		size = readPages
	}
	if r.record != 0 {
		c.wanted++
	}
	if c.wanted < size && len(c.rows) < 4*size {
		return nil
	}
	return v.hand()
}

// readAhead is how many chunks are read while one is compared.
const readAhead = 2

// hand begins to read the chunk at hand, and compares the oldest one where
// enough are being read.
func (v *verifier) hand() error {
	c := v.chunk
	v.chunk = nil
	v.queue = append(v.queue, c)
	v.wg.Go(func() {
		defer close(c.done)
		c.err = v.read(c)
	})
	if len(v.queue) > readAhead {
		return v.next()
	}
	return nil
}

// flush compares all that is left.
func (v *verifier) flush() error {
	if v.chunk != nil {
		if err := v.hand(); err != nil {
			return err
		}
	}
	for len(v.queue) > 0 {
		if err := v.next(); err != nil {
			return err
		}
	}
	return nil
}

// read reads what the account has of a chunk's records.
func (v *verifier) read(c *verifyChunk) error {
	if c.wanted == 0 {
		return nil
	}
	records := make([]int64, 0, c.wanted)
	for i := range c.rows {
		if c.rows[i].record != 0 {
			records = append(records, c.rows[i].record)
		}
	}
	traces, err := v.led.Traces(v.ctx, records)
	if err != nil {
		return err
	}
	rows := make([]*verifyRow, 0, c.wanted)
	var ids []string
	for i := range c.rows {
		if r := &c.rows[i]; r.record != 0 {
			if r.trace = traces[r.record]; r.code == 0 {
				r.code = target.ParseScope(r.trace.Target).Code
			}
			rows, ids = append(rows, r), append(ids, r.ID)
			if v.leads && r.trace.Lead != "" {
				ids = append(ids, r.trace.Lead)
			}
		}
	}
	known, err := v.led.Baselines(v.ctx, v.acct, ids)
	if err != nil {
		return err
	}
	c.known = make(map[string]ledger.Baseline, len(known))
	for _, b := range known {
		c.known[strings.ToLower(b.ID)+" "+b.Field] = b
	}
	c.back, c.leads = map[string]target.Back{}, map[string]target.Back{}
	return v.readRows(c, rows)
}

// readRows reads the records of rows.
func (v *verifier) readRows(c *verifyChunk, rows []*verifyRow) error {
	wanted := make([]wantedRecord, len(rows))
	for i, r := range rows {
		wanted[i] = wantedRecord{target.Wanted{ID: r.ID, Lead: r.trace.Lead}, r.code, r.trace.Sent}
	}
	back, err := v.readBack(v.ctx, v.reader, v.fields, wanted)
	maps.Copy(c.back, back)
	if err != nil {
		return err
	}
	if !v.leads {
		return nil
	}
	var ids []string
	for _, r := range rows {
		lead := r.trace.Lead
		if lead == "" {
			lead = c.back[strings.ToLower(r.ID)].Lead
		}
		if lead != "" {
			ids = append(ids, strings.ToLower(lead))
		}
	}
	slices.Sort(ids)
	leads, err := target.ReadLeads(v.ctx, v.line, slices.Compact(ids))
	maps.Copy(c.leads, leads)
	return err
}

// wantedRecord is a record that is to be read back.
type wantedRecord struct {
	target.Wanted
	code int       // its opportunity type; 0: it has none
	sent time.Time // of the newest call about it; zero: not known
}

// readBack reads records back, by their opportunity types, with the fields that are
// named. It returns them by their ids in lower case.
func (s *Session) readBack(ctx context.Context, reader target.Reader, fields []string, wanted []wantedRecord) (map[string]target.Back, error) {
	byCode := map[int][]target.Wanted{}
	since := map[int]time.Time{}
	var codes []int
	for _, w := range wanted {
		if byCode[w.code] == nil {
			codes, since[w.code] = append(codes, w.code), time.Now().Add(-clockMargin)
		}
		byCode[w.code] = append(byCode[w.code], w.Wanted)
		if w.sent.IsZero() {
			since[w.code] = longAgo
		} else if at := w.sent.Add(-clockMargin); at.Before(since[w.code]) {
			since[w.code] = at
		}
	}
	all := make(map[string]target.Back, len(wanted))
	for _, code := range codes {
		q := target.ReadQuestion{Code: code, Fields: fields, Wanted: byCode[code], Memory: s.lacks, Since: since[code]}
		before := 0
		q.Progress = func(done int) { s.live.read.Add(int64(done - before)); before = done }
		back, err := reader.Read(ctx, s.line, q)
		if err != nil {
			return all, err
		}
		maps.Copy(all, back)
	}
	return all, nil
}

// clockMargin is how far two clocks may be apart where nothing better is known.
const clockMargin = time.Hour

// next waits for the oldest chunk, compares it and tells what it found.
func (v *verifier) next() error {
	c := v.queue[0]
	v.queue = v.queue[1:]
	<-c.done
	if c.err != nil {
		return c.err
	}
	for _, b := range c.back {
		for field := range b.Values {
			v.shown[field] = true
		}
	}
	if err := v.patient(c); err != nil {
		return err
	}
	for i := range c.rows {
		r := &c.rows[i]
		if r.record == 0 {
			v.res.Totals.Add(r.Result, 1)
		} else if err := v.judge(c, r); err != nil {
			return err
		}
		if err := v.job.Sink.Row(r.VerifiedRow); err != nil {
			return err
		}
	}
	return context.Cause(v.ctx)
}

// patient reads records again that the account does not show as they were written
// a moment ago: its reads catch up late.
func (v *verifier) patient(c *verifyChunk) error {
	var late []*verifyRow
	var until time.Time
	now := time.Now()
	for i := range c.rows {
		r := &c.rows[i]
		if r.record == 0 || r.trace.Sent.IsZero() || !r.trace.Sent.Add(v.o.SettleAfter).After(now) || !v.behind(c, r) {
			continue
		}
		late = append(late, r)
		if at := r.trace.Sent.Add(v.o.SettleAfter); at.After(until) {
			until = at
		}
	}
	if len(late) == 0 {
		return nil
	}
	wait := time.Until(until)
	v.o.Notify(fmt.Sprintf("%s written a moment ago and not shown so yet: read again in %d s",
		fault.Plural(int64(len(late)), "record was", "records were"), int((wait+time.Second-1)/time.Second)))
	if err := line.Sleep(v.ctx, wait); err != nil {
		return err
	}
	return v.readRows(c, late)
}
