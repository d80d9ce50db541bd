package loader

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"leadload/converter"
	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/plan"
	"leadload/loader/send"
	"leadload/loader/target"
	"leadload/loader/words"
	"leadload/mapping"
)

// AdoptJob is a file whose rows are looked for in the account. Strict and Confirm
// of the Job are not used.
type AdoptJob struct {
	Job
	ByValues bool // match all mapped values; otherwise the field that carries the key
	Newest   bool // of several records take the newest
	// OnCost is told how records are read and what it costs; it may be nil.
	OnCost func(how string, calls int64)
	Row    func(AdoptedRow) error
}

// AdoptedRow is one row and what became of it.
type AdoptedRow struct {
	Row    int
	Key    string
	Result int // a place in words.Adopt
	ID     string
	// Candidates are the ids of the records that it may be, where there are several.
	Candidates []string
	Note       string
	Cells      []converter.Cell
}

// AdoptResult is what adopt came to, as far as it came.
type AdoptResult struct {
	Totals words.Counts
	Calls  int64
	Notes  []string
	End    fault.Trait
}

// Adopt finds the rows of a file in the account and writes them into the ledger.
// Nothing is sent.
func (s *Session) Adopt(ctx context.Context, j AdoptJob) (AdoptResult, error) {
	a := &adopter{Session: s, job: j, match: map[[16]byte]*match{}, leads: map[string]*lead{}}
	s.live.reset()
	ctx, cancel := s.untilTime(ctx)
	defer cancel(nil)
	before := s.pacer.State().Calls
	a.res.Totals = words.Adopt.Counts()
	err := a.do(ctx)
	if err != nil {
		err = causeOf(ctx, err)
	}
	a.res.Calls = s.pacer.State().Calls - before
	switch {
	case err != nil:
		a.res.End = fault.TraitOf(err)
	case a.res.Totals.Person() > 0:
		a.res.End = fault.Person
	}
	return a.res, err
}

// adopter is one adopt at work.
type adopter struct {
	*Session
	job     AdoptJob
	res     AdoptResult
	program *mapping.Program
	finder  target.Finder
	scope   int64
	code    int
	fields  []string            // by which rows and records are matched
	match   map[[16]byte]*match // by what a row and its record have in common
	leads   map[string]*lead    // of the rows that are looked for, by name
	order   []*lead
	known   map[uint64]struct{} // the beginnings of the ledger's identities; nil: too many
}

// match is the rows that say the same, and the records that do.
type match struct {
	rows    int
	records []candidate
	taken   int  // records given to rows so far
	many    bool // there were more records than rows
	why     string
}

// candidate is a record that may be a row's.
type candidate struct {
	id, lead string
	created  time.Time
}

// lead is a lead that rows name.
type lead struct {
	name         string            // of all its spellings
	field, value string            // what it is looked up by
	hashes       map[[16]byte]bool // of its rows
}

func (a *adopter) do(ctx context.Context) error {
	m := a.job.Mapping
	var err error
	if a.program, err = Compile(m, a.job.File, a.job.Input); err != nil {
		return err
	}
	a.job.File.Need(a.program.Reads())
	of := target.For(m.Target)
	var known bool
	if a.finder, known = of.(target.Finder); !known {
		return fault.New("usage", "compare the records in the account by hand", "records of target %s cannot be looked for", m.Target)
	}
	if err := a.choose(m); err != nil {
		return err
	}
	a.code = of.Scope(m).Code
	if m.TypeVaries() {
		return fault.New("usage", "split the file by opportunity type, with a mapping for each", "rows of several opportunity types cannot be looked for at once")
	}
	if a.scope, err = a.led.Scope(ctx, a.acct, of.Scope(m).String()); err != nil {
		return err
	}
	if a.known, err = a.led.Idents(ctx, a.scope, plan.IdentsMost); err != nil {
		return err
	}
	a.live.phase.Store(Planning)
	wanted := 0
	if err := a.pass(ctx, func(row *adoptRow) error {
		if row.result < 0 {
			wanted++
			a.want(row)
		}
		return nil
	}); err != nil {
		return err
	}
	a.live.phase.Store(Reading)
	a.live.total.Store(int64(wanted))
	if wanted > 0 {
		if err := a.read(ctx); err != nil {
			return err
		}
	}
	if err := a.free(ctx); err != nil {
		return err
	}
	return a.write(ctx)
}

// choose finds the fields by which rows and records are matched.
func (a *adopter) choose(m *mapping.Mapping) error {
	if !a.job.ByValues {
		if len(m.Key) == 0 {
			return fault.New("usage", "use --by values", "the mapping has no key, so that no field carries it")
		}
		return nil // which field carries it is known with the first row
	}
	for _, f := range m.Fields() {
		if f.Type != "datetime" && f.Type != "date" && !m.ChangeOf(f.Name).Ignored && f.Kind != mapping.LeadField && a.finder.Shows(f.Name) {
			a.fields = append(a.fields, f.Name)
		}
	}
	if len(a.fields) == 0 {
		return fault.New("usage", "compare the records in the account by hand", "the account shows none of the fields of this mapping")
	}
	return nil
}

// adoptRow is a row of the file as a pass sees it.
type adoptRow struct {
	entry  ledger.Entry
	record *mapping.Record
	cells  []converter.Cell
	number int
	result int    // -1: it is looked for
	note   string // why it is not
	id     string
	// candidates are the ids of the records that it may be.
	candidates []string
	doubt      bool // the ledger has it in doubt
	hash       [16]byte
	lead       *lead
}

// pass goes through the file. The row is valid during the call.
func (a *adopter) pass(ctx context.Context, each func(*adoptRow) error) error {
	m := a.job.Mapping
	ex := plan.NewExaminer(m, a.program.Runner())
	seen := map[[16]byte]int{}
	idents, known := make([]ledger.Ident, 1), make([]ledger.Record, 1)
	rows := int64(0)
	for row, err := range a.job.File.Rows() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		rows++
		a.live.total.Store(rows)
		r := adoptRow{record: &ex.Record, cells: row.Kept(), number: row.Origin, result: -1}
		if r.number == 0 {
			r.number = row.Number
		}
		if !a.job.Rows.Has(row.Number) {
			r.result, r.note = words.AdoptSkipped, "not among the rows named by --rows"
			r.entry.Number = row.Number
		} else if r.entry = ex.Entry(row); r.entry.Verdict != 0 {
			r.result, r.note = words.AdoptSkipped, r.entry.Msg
		} else {
			e := &r.entry
			if err := ledger.Respell(ctx, a.led, a.scope, e); err != nil {
				return err
			}
			seen[e.Identity]++
			if e.HasKey && seen[e.Identity] > 1 {
				r.result, r.note = words.AdoptSkipped, fmt.Sprintf("the key %q is that of an earlier row", e.KeyText)
			} else {
				e.Ident = e.IdentOf(seen[e.Identity])
				idents[0], known[0].ID = e.Ident, 0
				if a.mayKnow(e.Ident) {
					if err := a.led.Known(ctx, a.scope, idents, known); err != nil {
						return err
					}
				}
				st := known[0].State()
				r.doubt = known[0].ID != 0 && st == ledger.InDoubt
				if known[0].ID != 0 && (st.Ended() || st.Open()) && !r.doubt {
					r.result, r.id, r.note = words.KnownBefore, known[0].Remote, "in the ledger: "+st.String()
				} else if err := a.identify(&r); err != nil {
					return err
				}
			}
		}
		if err := each(&r); err != nil {
			return err
		}
	}
	if rows == 0 {
		return fault.New("file.no-rows", "check that it is the right file and sheet, and header_row in the mapping", "%s holds a header but no rows", a.job.Input)
	}
	return nil
}

// mayKnow reports whether the ledger may have a record that an identity names. Most
// rows of a lost ledger are known to be new without a look of their own.
func (a *adopter) mayKnow(ident ledger.Ident) bool {
	if a.known == nil {
		return true
	}
	_, may := a.known[binary.LittleEndian.Uint64(ident[:8])]
	return may
}

// identify fills in what a row and its record have in common.
func (a *adopter) identify(r *adoptRow) error {
	rec := r.record
	if !a.job.ByValues && a.fields == nil {
		for _, f := range rec.KeyFields {
			if a.finder.Shows(f) {
				a.fields = append(a.fields, f)
			}
		}
		if len(a.fields) == 0 || len(a.fields) < len(rec.KeyFields) {
			return fault.New("usage", "use --by values, or map the key column to a field of the record", "no field of the record carries the key %s, so that rows cannot be looked for by it", strings.Join(a.job.Mapping.Key, " + "))
		}
	}
	parts := make([]string, 0, len(a.fields)+1)
	for _, name := range a.fields {
		at := slices.IndexFunc(rec.Fields, func(f mapping.Field) bool { return f.Name == name })
		if at < 0 {
			parts = append(parts, "") // an empty cell: the record has no value either
			continue
		}
		parts = append(parts, composed(rec.Fields[at].Value))
	}
	if a.job.ByValues {
		parts = append(parts, rec.Lead)
	}
	r.hash = ledger.HashIdentity(parts...)
	if r.lead = a.leads[rec.Lead]; r.lead == nil {
		r.lead = &lead{name: strings.Clone(rec.Lead), field: rec.LeadField, value: strings.Clone(target.LeadName(rec.LeadField, rec.LeadValue)), hashes: map[[16]byte]bool{}}
		a.leads[r.lead.name] = r.lead
		a.order = append(a.order, r.lead)
	}
	return nil
}

// want remembers what to look for.
func (a *adopter) want(r *adoptRow) {
	of := a.match[r.hash]
	if of == nil {
		of = &match{}
		a.match[r.hash] = of
	}
	of.rows++
	r.lead.hashes[r.hash] = true
}

// composed is the form in which values are equal that only differ in how they are
// written, also in the way accents are composed.
func composed(value string) string { return norm.NFC.String(leadsquared.Canonical(value)) }

// hashOf is what a record has in common with a row. parts of the lead stand behind.
func (a *adopter) hashOf(b target.Back, behind ...string) [16]byte {
	parts := make([]string, 0, len(a.fields)+1)
	for _, name := range a.fields {
		parts = append(parts, composed(b.Values[name]))
	}
	return ledger.HashIdentity(append(parts, behind...)...)
}

// longAgo is before every record of every account.
var longAgo = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// free takes out the records that other rows of the ledger have, and puts the
// others into the order in which they were made.
func (a *adopter) free(ctx context.Context) error {
	var ids []string
	for _, of := range a.match {
		for _, c := range of.records {
			ids = append(ids, c.id)
		}
	}
	owned := map[string]bool{}
	for chunk := range slices.Chunk(ids, 500) {
		owners, err := a.led.Owners(ctx, a.acct, chunk...)
		if err != nil {
			return err
		}
		for id := range owners {
			owned[strings.ToLower(id)] = true
		}
	}
	for _, of := range a.match {
		of.records = slices.DeleteFunc(of.records, func(c candidate) bool { return owned[strings.ToLower(c.id)] })
		slices.SortFunc(of.records, func(x, y candidate) int {
			if c := x.created.Compare(y.created); c != 0 {
				return c
			}
			return strings.Compare(x.id, y.id)
		})
		n := len(of.records)
		of.many = n > of.rows
		if a.job.Newest && of.many {
			of.records = of.records[n-of.rows:]
		}
	}
	return nil
}

// write goes through the file once more and writes what was found into the ledger.
func (a *adopter) write(ctx context.Context) error {
	var batch []ledger.Adopted
	flush := func() error {
		_, err := a.led.Adopt(ctx, a.scope, batch)
		batch = batch[:0]
		return err
	}
	err := a.pass(ctx, func(r *adoptRow) error {
		if r.result < 0 {
			if of := a.match[r.hash]; of == nil {
				r.result, r.note = words.Absent, "the file changed while it was read"
			} else if found, ok := a.decide(r, of); ok {
				batch = append(batch, found)
			}
		}
		a.res.Totals.Add(r.result, 1)
		if err := a.job.Row(AdoptedRow{Row: r.number, Key: r.entry.KeyText, Result: r.result, ID: r.id, Candidates: r.candidates, Note: r.note, Cells: r.cells}); err != nil {
			return err
		}
		if len(batch) == plan.Batch {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	return a.led.Flush()
}

// decide says what a row is, and what is written down about it.
func (a *adopter) decide(r *adoptRow, of *match) (ledger.Adopted, bool) {
	r.entry.Number = r.number
	// A row in doubt is not sent: an import looks at it, and at all records since the
	// moment that stands there.
	doubt := ledger.Adopted{Entry: r.entry, State: ledger.InDoubt, Sent: longAgo}
	switch {
	case r.doubt && !of.many:
		// One record may be another's, and the row's own is not shown yet: an import
		// compares what was sent, and when.
		r.result, r.note = words.KnownBefore, "in the ledger: "+ledger.InDoubt.String()+"; an import looks it up"
		return ledger.Adopted{}, false
	case len(of.records) <= of.rows && of.taken < len(of.records):
		c := of.records[of.taken]
		of.taken++
		r.result, r.id = words.Adopted, c.id
		found := ledger.Adopted{Entry: r.entry, State: ledger.Loaded, ID: c.id, LeadID: c.lead, Sent: c.created}
		if r.doubt {
			found.Chosen, found.Sent = true, time.Time{} // an undo leaves alone what was taken
		}
		return found, true
	case len(of.records) > of.rows:
		for _, c := range of.records {
			doubt.Candidates = append(doubt.Candidates, c.id)
		}
		if created := of.records[0].created; !created.IsZero() {
			doubt.Sent = created.Add(-clockMargin)
		}
		doubt.Why, r.candidates = "the account has it several times", doubt.Candidates
		r.note = "in the account several times: " + strings.Join(doubt.Candidates, ", ")
	case of.why != "":
		doubt.Why, r.note = of.why, of.why
	default:
		r.result, r.note = words.Absent, "the account has no such record; import sends it"
		return ledger.Adopted{}, false
	}
	r.result = words.Several
	doubt.Payload = send.RowOf(a.job.Mapping, 0, r.number, r.record).Payload
	return doubt, true
}
