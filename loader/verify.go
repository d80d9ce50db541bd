package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"leadload/converter"
	"leadload/internal/fault"
	"leadload/loader/compare"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/plan"
	"leadload/loader/target"
	"leadload/loader/words"
	"leadload/mapping"
)

// VerifyJob is a file to be compared with the account. Strict and Confirm of the
// Job are not used.
type VerifyJob struct {
	Job
	Leads bool // compare attributes of leads too: one call a lead
	// OnCost is told what reading costs before anything is read; it may be nil.
	OnCost func(ReadCost)
	Sink   VerifySink
}

// ReadCost is what reading the account back costs.
type ReadCost struct {
	Records int64
	Calls   int64         // at least
	Time    time.Duration // that the calls take at the limit, at best
	Limit   string
	Left    []string // what is not compared, in sentences
}

// VerifySink takes what verify finds, in the order of the file.
type VerifySink interface {
	Row(VerifiedRow) error
	Difference(Difference) error
	// Removed takes a row of an earlier run that the file no longer has.
	Removed(ledger.Row) error
}

// VerifiedRow is one row and what the account has of it.
type VerifiedRow struct {
	Row    int // as the spreadsheet counts, in the file that it first came from
	Key    string
	Result int // a place in words.Verify
	ID     string
	Note   string
	Cells  []converter.Cell
}

// Difference is one field of one row that the account has otherwise.
type Difference struct {
	Row           int
	Key, ID       string
	Field         string
	File, Account string
	SentLast      string // "" unless it equals one of the two: the ledger keeps hashes
	By            string // who changed it: one of Changers
}

// Changers are who can have changed a field since it was sent.
var Changers = []string{"file", "account", "both", "mapping"}

// VerifyResult is what verify came to, as far as it came.
type VerifyResult struct {
	Totals  words.Counts
	By      map[string]int64 // differences by who changed the field
	Removed int64
	Calls   int64
	Notes   []string
	End     fault.Trait // the exit code
}

// readChunk is how many records are read at once, and readPages how many where
// the account can only be read in pages of all its records.
const readChunk, readPages = leadsquared.MaxIDs, 50_000

// Verify compares the rows of a file with what the account has of them. Nothing
// is written to the account.
func (s *Session) Verify(ctx context.Context, j VerifyJob) (VerifyResult, error) {
	v := &verifier{Session: s, job: j, shown: map[string]bool{}}
	v.begin(ctx)
	defer v.cancel(nil)
	return v.end(v.file())
}

// VerifyRun asks whether all records of a run are still in the account. Their
// values are not compared.
func (s *Session) VerifyRun(ctx context.Context, run int64, onCost func(ReadCost), sink VerifySink) (VerifyResult, error) {
	v := &verifier{Session: s, job: VerifyJob{OnCost: onCost, Sink: sink}, shown: map[string]bool{}}
	v.begin(ctx)
	defer v.cancel(nil)
	return v.end(v.run(run))
}

// verifier is one verify at work.
type verifier struct {
	*Session
	job     VerifyJob
	ctx     context.Context
	cancel  context.CancelCauseFunc
	calls   int64 // of the pacer, before
	res     VerifyResult
	reader  target.Reader
	code    int             // the opportunity type; 0: each row has its own
	sales   bool            // records are found by their leads
	fields  []string        // that a read of records brings
	compare map[string]bool // fields that are compared at all
	leads   bool
	seen    recordSet       // records that the file still has
	unread  map[string]bool // keys of rows whose record was not looked for: invalid, skipped
	shown   map[string]bool // fields that the account showed of some record

	chunk *verifyChunk
	queue []*verifyChunk // being read, in the order of the file
	wg    sync.WaitGroup
}

// verifyChunk is rows whose records are read together.
type verifyChunk struct {
	rows   []verifyRow
	wanted int // rows that have a record
	back   map[string]target.Back
	leads  map[string]target.Back
	err    error
	done   chan struct{}
}

// verifyRow is a row on its way.
type verifyRow struct {
	VerifiedRow
	record int64 // 0: there is nothing to read
	trace  ledger.Trace
	code   int
	values []mapping.Field
	names  []string // of the fields that prints has 4 bytes for
	prints []byte
}

func (v *verifier) begin(ctx context.Context) {
	v.live.reset()
	v.ctx, v.cancel = v.untilTime(ctx)
	v.calls = v.pacer.State().Calls
	v.res = VerifyResult{Totals: words.Verify.Counts(), By: map[string]int64{}}
}

func (v *verifier) end(err error) (VerifyResult, error) {
	v.cancel(err)
	v.wg.Wait()
	if cause := context.Cause(v.ctx); cause != nil && err != nil && fault.TraitOf(cause) != fault.Bug {
		err = cause
	}
	v.res.Calls = v.pacer.State().Calls - v.calls
	switch {
	case err != nil:
		v.res.End = fault.TraitOf(err)
	case v.res.Totals.Person() > 0:
		v.res.End = fault.Person
	}
	return v.res, err
}

// file goes through the file twice: to count what there is to read, and to compare.
func (v *verifier) file() error {
	m := v.job.Mapping
	program, err := Compile(m, v.job.File, v.job.Input)
	if err != nil {
		return err
	}
	v.job.File.Need(program.Reads())
	of := target.For(m.Target)
	var readable bool
	if v.reader, readable = of.(target.Reader); !readable {
		return fault.New("usage", "compare the records in the account by hand", "records of target %s cannot be read back", m.Target)
	}
	scope := of.Scope(m)
	v.code, v.sales = scope.Code, scope.Code == 0 && !m.TypeVaries()
	v.leads = v.job.Leads
	left := v.compared(m)
	in, err := v.led.Find(v.ctx, v.o.Account.Names(), scope.String())
	if err != nil {
		return err
	}
	// Rows that an earlier mapping named otherwise are the same rows.
	earlier, err := plan.NewEarlier(v.ctx, v.led, in, m, v.job.File)
	if err != nil {
		return err
	}
	pass := func() *plan.Check {
		return &plan.Check{File: v.job.File, Mapping: m, Program: program, Rows: v.job.Rows, Store: v.led, Scope: in, Earlier: earlier}
	}
	v.live.phase.Store(Planning)
	if err := v.count(pass(), left); err != nil {
		return err
	}
	v.live.phase.Store(Reading)
	second := pass()
	second.Values, second.Cells = true, true
	seen, err := second.Run(v.ctx, v.take)
	if err != nil {
		return err
	}
	if seen.Chosen == 0 && seen.Rows > 0 {
		return noRows(v.job.Input)
	}
	if err := v.flush(); err != nil {
		return err
	}
	return v.removed()
}

// compared chooses the fields that are compared, and says what is left out.
func (v *verifier) compared(m *mapping.Mapping) (left []string) {
	leads := false
	v.compare = map[string]bool{}
	for _, f := range m.Fields() {
		ignored := m.ChangeOf(f.Name).Ignored
		v.compare[f.Name] = !ignored
		switch {
		case ignored:
			left = append(left, f.Schema+" is not compared: the mapping says on_change: ignore")
		case f.Kind == mapping.LeadField || strings.HasPrefix(f.Name, leadPrefix):
			leads = true
		case v.reader.Shows(f.Name):
			v.fields = append(v.fields, f.Name)
		case f.Schema == "OpportunityEventCode" || f.Schema == "ProspectId":
		default:
			left = append(left, f.Schema+" is not compared: no call brings it back")
		}
	}
	if leads && !v.leads {
		left = append(left, "attributes of leads are not compared; add --leads to compare them, one call a lead")
	}
	return left
}

const leadPrefix = "LeadDetails."

// count goes through the file once and tells what reading costs.
func (v *verifier) count(pass *plan.Check, left []string) error {
	var records []int64
	leads := map[string]struct{}{}
	n, rows := 0, int64(0)
	count := func() error {
		traces, err := v.led.Traces(v.ctx, records)
		for _, t := range traces {
			leads[strings.ToLower(t.Lead)] = struct{}{}
		}
		records = records[:0]
		return err
	}
	seen, err := pass.Run(v.ctx, func(row *plan.Row) error {
		if row.Known != nil {
			v.seen.add(row.Known.ID)
		} else if row.KeyText != "" && (row.Verdict == ledger.Invalid || row.Verdict == ledger.Skipped) {
			if v.unread == nil {
				v.unread = map[string]bool{}
			}
			v.unread[strings.Clone(row.KeyText)] = true
		}
		if inAccount(row) {
			if n++; v.sales || v.leads {
				if records = append(records, row.Known.ID); len(records) == readChunk {
					if err := count(); err != nil {
						return err
					}
				}
			}
		}
		rows++
		v.live.total.Store(rows)
		return nil
	})
	if err == nil {
		err = count()
	}
	switch {
	case err != nil:
		return err
	case seen.Rows == 0:
		return fault.New("file.no-rows", "check that it is the right file and sheet, and header_row in the mapping", "%s holds a header but no rows", v.job.Input)
	}
	v.live.total.Store(int64(n))
	v.cost(n, len(leads), left)
	return nil
}

// cost tells what reading n records of so many leads costs.
func (v *verifier) cost(n, leads int, left []string) {
	v.res.Notes = left
	if v.job.OnCost == nil {
		return
	}
	calls := int64(0)
	if n > 0 && v.reader != nil {
		calls = int64(v.reader.ReadCalls(n, leads, v.lacks))
	}
	if v.leads {
		calls += int64(leads)
	}
	v.job.OnCost(ReadCost{Records: int64(n), Calls: calls, Time: v.pacer.Earliest(calls), Limit: v.pacer.State().Limit.String(), Left: left})
}

// inAccount reports whether the ledger has an id for a row, as far as is known.
func inAccount(row *plan.Row) bool {
	return row.Known != nil && row.Verdict != ledger.Invalid && row.Verdict != ledger.Skipped && row.Verdict != ledger.Repeated &&
		row.Known.State().Ended() && row.Known.Remote != ""
}

// take puts a row into the chunk at hand.
func (v *verifier) take(row *plan.Row) error {
	r := verifyRow{VerifiedRow: VerifiedRow{Row: row.Origin, Key: strings.Clone(row.KeyText), Cells: slices.Clone(row.Cells)}, code: v.code}
	if r.Row == 0 {
		r.Row = row.Number
	}
	switch {
	case row.Verdict == ledger.Skipped || row.Verdict == ledger.Repeated:
		r.Result, r.Note = words.VerifySkipped, row.Msg
	case row.Verdict == ledger.Invalid:
		r.Result, r.Note = words.NotLoaded, row.Msg
	case inAccount(row):
		r.record, r.ID = row.Known.ID, row.Known.Remote
		r.values, r.names, r.prints = row.Values, row.Known.Names, slices.Clone(row.Known.Prints)
		if r.code == 0 {
			r.code = eventCode(row.Values)
		}
	default:
		r.Result, r.Note = words.NotLoaded, notLoaded(row.Known)
	}
	return v.add(r)
}

// notLoaded says why a row has no record in the account.
func notLoaded(known *ledger.Record) string {
	if known == nil {
		return "never sent"
	}
	switch known.State() {
	case ledger.Pending:
		return "in the account's queue; leadload settle asks for it"
	case ledger.Rejected:
		return "the account refused it in an earlier run"
	case ledger.Ready:
		return "never sent"
	case ledger.Loaded, ledger.Duplicate:
		return "loaded, but the ledger has no id for it"
	}
	return "in doubt; leadload settle looks it up"
}

// eventCode returns the opportunity type that a row names; 0 where it names none.
func eventCode(values []mapping.Field) int {
	for _, f := range values {
		if strings.HasSuffix(f.Name, ".OpportunityEventCode") {
			return target.ParseScope(":" + f.Value).Code
		}
	}
	return 0
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
	for i := range c.rows {
		if r := &c.rows[i]; r.record != 0 {
			r.trace = traces[r.record]
			rows = append(rows, r)
		}
	}
	c.back, c.leads = map[string]target.Back{}, map[string]target.Back{}
	return v.readRows(c, rows)
}

// readRows reads the records of rows, by their opportunity types.
func (v *verifier) readRows(c *verifyChunk, rows []*verifyRow) error {
	byCode := map[int][]*verifyRow{}
	var codes []int
	for _, r := range rows {
		if byCode[r.code] == nil {
			codes = append(codes, r.code)
		}
		byCode[r.code] = append(byCode[r.code], r)
	}
	for _, code := range codes {
		q := target.ReadQuestion{Code: code, Fields: v.fields, Memory: v.lacks, Since: oldest(byCode[code])}
		before := 0
		q.Progress = func(done int) { v.live.read.Add(int64(done - before)); before = done }
		for _, r := range byCode[code] {
			q.Wanted = append(q.Wanted, target.Wanted{ID: r.ID, Lead: r.trace.Lead})
		}
		back, err := v.reader.Read(v.ctx, v.line, q)
		if err != nil {
			return err
		}
		for id, b := range back {
			c.back[id] = b
		}
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
		if lead != "" && !slices.Contains(ids, strings.ToLower(lead)) {
			ids = append(ids, strings.ToLower(lead))
		}
	}
	leads, err := target.ReadLeads(v.ctx, v.line, ids)
	for id, b := range leads {
		c.leads[id] = b
	}
	return err
}

// clockMargin is how far two clocks may be apart where nothing better is known.
const clockMargin = time.Hour

// oldest returns a moment before which none of the records was made.
func oldest(rows []*verifyRow) time.Time {
	since := time.Now()
	for _, r := range rows {
		if r.trace.Sent.IsZero() {
			return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		if r.trace.Sent.Before(since) {
			since = r.trace.Sent
		}
	}
	return since.Add(-clockMargin)
}

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

// behind reports whether the account shows something else than what was sent last.
func (v *verifier) behind(c *verifyChunk, r *verifyRow) bool {
	b := c.back[strings.ToLower(r.ID)]
	if b.Presence != target.Present {
		return true
	}
	behind := false
	v.differences(c, r, func(d Difference) { behind = behind || d.By != "file" })
	return behind
}

// judge compares one row with what the account has of it.
func (v *verifier) judge(c *verifyChunk, r *verifyRow) error {
	b, read := c.back[strings.ToLower(r.ID)]
	switch {
	case !read:
		r.Result, r.Note = words.Unreadable, "the account did not answer for it"
	case b.Presence == target.Gone:
		r.Result, r.Note = words.Missing, "the account no longer has it"
	case b.Presence != target.Present:
		r.Result, r.Note = words.Unreadable, b.Why
	default:
		var fields []string
		var failed error
		unread := v.differences(c, r, func(d Difference) {
			v.res.By[d.By]++
			fields = append(fields, d.Field)
			if failed == nil {
				failed = v.job.Sink.Difference(d)
			}
		})
		if failed != nil {
			return failed
		}
		switch {
		case len(fields) > 0:
			r.Result, r.Note = words.Differs, "differs in "+strings.Join(fields, ", ")
		case len(unread) > 0:
			r.Result, r.Note = words.Unreadable, "the account did not show "+strings.Join(unread, ", ")
		default:
			r.Result = words.Same
		}
	}
	v.res.Totals.Add(r.Result, 1)
	return nil
}

// differences calls each for every field of a row that the account has
// otherwise. It returns the fields that the account did not show.
func (v *verifier) differences(c *verifyChunk, r *verifyRow, each func(Difference)) (unread []string) {
	b := c.back[strings.ToLower(r.ID)]
	lead := ""
	if v.leads {
		if lead = r.trace.Lead; lead == "" {
			lead = b.Lead
		}
	}
	for i, f := range r.values {
		var has string
		var shown bool
		name := f.Name
		switch {
		case !v.compare[name]:
			continue
		case strings.HasPrefix(name, leadPrefix):
			if !v.leads {
				continue
			}
			of := c.leads[strings.ToLower(lead)]
			if has, shown = of.Values[name]; !shown && of.Presence == target.Present {
				shown = true // the answer leaves attributes out that have no value
			}
		case !v.reader.Shows(name):
			continue
		default:
			name = name[strings.IndexByte(name, '.')+1:]
			if has, shown = b.Values[f.Name]; !shown {
				shown = v.shown[f.Name] // of others it is shown: this one has no value
			}
		}
		if !shown {
			if f.Value != "" {
				unread = append(unread, name)
			}
			continue
		}
		if f.Value == has || leadsquared.SameValue(f.Value, has) {
			continue
		}
		sent := r.print(i, f.Name)
		d := Difference{Row: r.Row, Key: r.Key, ID: r.ID, Field: name, File: f.Value, Account: has}
		switch compare.Judge(compare.Values{Sent: sent, Account: has, File: f.Value}) {
		case compare.Send:
			d.By, d.SentLast = "file", has
		case compare.Conflict:
			d.By = "both"
		default:
			// The file has what was sent. A value that two forms of comparing see
			// differently, such as a rounded number, is the account's doing too.
			d.By, d.SentLast = "account", f.Value
		}
		if sent == 0 {
			d.By, d.SentLast = "mapping", ""
		}
		each(d)
	}
	return unread
}

// print returns the hash of what was sent last for a field; 0: it was never sent.
func (r *verifyRow) print(i int, field string) uint32 {
	if i >= len(r.names) || r.names[i] != field {
		i = slices.Index(r.names, field)
	}
	if i < 0 || 4*i+4 > len(r.prints) {
		return 0
	}
	p := r.prints[4*i:]
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}

// run compares the records of a run with the account's.
func (v *verifier) run(id int64) error {
	runs, err := v.led.Runs(v.ctx, ledger.RunQuery{ID: id})
	switch {
	case err != nil:
		return err
	case len(runs) == 0:
		return fault.New("usage", "leadload runs lists the runs that the ledger has", "the ledger has no run %d", id)
	case runs[0].Account != v.acct:
		return fault.New("usage", "name the account that it was loaded into with --account", "run %d loaded into another account, %s", id, runs[0].AccountName)
	}
	of, known := target.Stored(runs[0].Target)
	readable := false
	if known {
		v.reader, readable = of.(target.Reader)
	}
	if !readable {
		return fault.New("usage", "name a run of leadload import", "run %d, %s, has no records that can be read back", id, runs[0].Command)
	}
	n := 0
	for row, err := range v.led.Rows(v.ctx, id) {
		if err != nil {
			return err
		}
		if isThere(&row) {
			n++
		}
	}
	v.live.total.Store(int64(n))
	v.cost(n, n, []string{"values are not compared: name the file and its mapping to compare them"})
	v.live.phase.Store(Reading)
	for row, err := range v.led.Rows(v.ctx, id) {
		if err == nil {
			err = v.takeOfRun(&row)
		}
		if err != nil {
			return err
		}
	}
	return v.flush()
}

// isThere reports whether a row of a run has a record in the account.
func isThere(row *ledger.Row) bool {
	return row.ID != "" && row.State.Ended() && row.Verdict != ledger.Repeated && row.Verdict != ledger.Skipped
}

func (v *verifier) takeOfRun(row *ledger.Row) error {
	r := verifyRow{VerifiedRow: VerifiedRow{Row: row.Origin, Key: row.Key, ID: row.ID}}
	if r.Row == 0 {
		r.Row = row.Number
	}
	switch {
	case row.Verdict == ledger.Skipped || row.Verdict == ledger.Repeated:
		r.Result, r.Note = words.VerifySkipped, row.Error
	case isThere(row):
		r.record = row.Record
		traces, err := v.led.Traces(v.ctx, []int64{row.Record})
		if err != nil {
			return err
		}
		r.code = target.ParseScope(traces[row.Record].Target).Code
	default:
		if r.Result, r.Note = words.NotLoaded, row.Error; r.Note == "" {
			r.Note = row.Result.String()
		}
	}
	return v.add(r)
}

// removed tells which rows of earlier runs of the file it no longer has. A part
// of a file cannot say.
func (v *verifier) removed() error {
	if v.job.Rows != nil || v.job.InputPath == "" || v.job.File.Info().Results {
		return nil
	}
	runs, err := v.led.Runs(v.ctx, ledger.RunQuery{Newest: 1000})
	if err != nil {
		return err
	}
	sheet, of := v.job.File.Info().Sheet, string(v.job.Mapping.Target)
	for _, run := range runs {
		if run.Command != "import" || run.Account != v.acct || run.InputPath != v.job.InputPath || run.Sheet != sheet || run.Target != of {
			continue
		}
		for row, err := range v.led.Rows(v.ctx, run.ID) {
			if fault.Of(err) != nil && fault.Of(err).Code == "ledger.pruned" {
				break
			}
			if err != nil {
				return err
			}
			if !isThere(&row) || v.seen.has(row.Record) || v.unread[row.Key] {
				continue
			}
			v.seen.add(row.Record) // told once, whichever runs had it
			v.res.Removed++
			if err := v.job.Sink.Removed(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordSet is a set of numbers of records: a bit for each.
type recordSet map[int64]*[recordPage / 64]uint64

const recordPage = 1 << 13

func (s *recordSet) add(record int64) {
	if *s == nil {
		*s = recordSet{}
	}
	page := (*s)[record/recordPage]
	if page == nil {
		page = new([recordPage / 64]uint64)
		(*s)[record/recordPage] = page
	}
	page[record%recordPage/64] |= 1 << (record % 64)
}

func (s recordSet) has(record int64) bool {
	page := s[record/recordPage]
	return page != nil && page[record%recordPage/64]&(1<<(record%64)) != 0
}
