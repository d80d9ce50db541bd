package loader

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"leadload/internal/fault"
	"leadload/loader/account"
	"leadload/loader/compare"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/plan"
	"leadload/loader/send"
	"leadload/loader/source"
	"leadload/loader/target"
	"leadload/loader/words"
	"leadload/mapping"
)

// RestoreJob is a results file whose rows are to be known to a ledger.
type RestoreJob struct {
	Mapping *mapping.Mapping // by which the rows were loaded
	// Files are the sheets of all rows of one results workbook in their order, or
	// one results CSV.
	Files []*source.File
	// Tell is told of rows of which somebody should know; it may be nil.
	Tell func(RestoredRow)
}

// RestoredRow is a row of a results file that is not simply written down.
type RestoredRow struct {
	Row    int    // in the file that it first came from
	ID     string // "" where it has none
	Result int    // a place in words.LedgerImport
	Why    string
}

// RestoreResult is what a restoration came to, as far as it came.
type RestoreResult struct {
	Totals words.Counts
	Calls  int64
	End    fault.Trait
}

// Restore writes into the session's ledger what a results file says is in the
// account. The account is asked whether it has the records; one that it does not
// have is not written down.
func (s *Session) Restore(ctx context.Context, j RestoreJob) (RestoreResult, error) {
	s.live.reset()
	s.live.phase.Store(Reading)
	ctx, cancel := s.untilTime(ctx)
	defer cancel(nil)
	before := s.pacer.State().Calls
	r := &restorer{Session: s, led: s.led, acct: s.acct, job: j}
	res, err := r.do(ctx)
	if err != nil {
		err = causeOf(ctx, err)
		res.End = fault.TraitOf(err)
	}
	res.Calls = s.pacer.State().Calls - before
	return res, err
}

// RestoreOffline is Restore without a call: what the results file says is believed.
func RestoreOffline(ctx context.Context, led ledger.Store, acct account.Account, j RestoreJob) (RestoreResult, error) {
	r := &restorer{led: led, job: j}
	if len(acct.Names()) == 0 {
		err := fault.New("account.setting", "add --account FILE, or set LEADSQUARED_HOST and LEADSQUARED_ACCESS_KEY", "which account the rows are in is not known")
		return RestoreResult{Totals: words.LedgerImport.Counts(), End: fault.TraitOf(err)}, err
	}
	var err error
	if r.acct, err = led.Enroll(ctx, acct.Display(), acct.Names()); err != nil {
		return RestoreResult{Totals: words.LedgerImport.Counts(), End: fault.TraitOf(err)}, err
	}
	res, err := r.do(ctx)
	if err != nil {
		res.End = fault.TraitOf(err)
	}
	return res, err
}

// restorer is one restoration at work.
type restorer struct {
	*Session // nil: no call is made
	led      ledger.Store
	acct     int64
	job      RestoreJob
	res      RestoreResult

	scope  int64
	code   int           // the opportunity type; 0: each row has its own
	reader target.Reader // nil: no call reads the records back
	fields []string      // that a read of records brings
	seen   map[[16]byte]int
	batch  []restoredRow
}

// restoredRow is a row that carries an id, or one whose fate is open.
type restoredRow struct {
	ledger.Adopted
	number int
	code   int
	// values are the row's, by the names that its prints have.
	values              map[string]string
	leadField, leadText string          // the attribute that names the lead, and its value
	keys                []mapping.Field // what shows the row's key in the account; none where the id need not be the row's own
	// unsure says that the account may have other values than the row: what was sent
	// last is not known.
	unsure bool
}

func (r *restorer) do(ctx context.Context) (RestoreResult, error) {
	r.res.Totals = words.LedgerImport.Counts()
	r.seen = map[[16]byte]int{}
	m := r.job.Mapping
	of := target.For(m.Target)
	var err error
	if r.scope, err = r.led.Scope(ctx, r.acct, of.Scope(m).String()); err != nil {
		return r.res, err
	}
	r.code = of.Scope(m).Code
	if r.reader, _ = of.(target.Reader); r.reader != nil {
		for _, f := range m.Fields() {
			if r.reader.Shows(f.Name) {
				r.fields = append(r.fields, f.Name)
			}
		}
	}
	for _, file := range r.job.Files {
		if err := r.file(ctx, file); err != nil {
			return r.res, err
		}
	}
	if err := r.flush(ctx); err != nil {
		return r.res, err
	}
	if r.res.Totals.Person() > 0 {
		r.res.End = fault.Person
	}
	return r.res, r.led.Flush()
}

func (r *restorer) file(ctx context.Context, file *source.File) error {
	if !file.Info().Results {
		return fault.New("usage", "name a results file that leadload wrote, with its input's columns", "this is no results file: its columns do not begin with %s", strings.Join(source.ResultColumns[:source.ResultsBefore], ", "))
	}
	program, err := Compile(r.job.Mapping, file, "")
	if err != nil {
		return err
	}
	file.Need(program.Reads())
	ex := plan.NewExaminer(r.job.Mapping, program.Runner())
	for row, err := range file.Rows() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if err := r.row(ctx, ex, row); err != nil {
			return err
		}
	}
	return nil
}

// The places of the result columns that are read.
var resultAt, idAt, leadAt, sentAt = slices.Index(source.ResultColumns, "Result"), slices.Index(source.ResultColumns, "ID"),
	slices.Index(source.ResultColumns, "Lead ID"), slices.Index(source.ResultColumns, "Sent at")

// row takes one row of a results file. One that carries an id is in the account,
// whatever its result.
func (r *restorer) row(ctx context.Context, ex *plan.Examiner, row *source.Row) error {
	cell := func(at int) string { return strings.TrimSpace(row.Outcome[at].Text) }
	one := restoredRow{number: row.Origin, code: r.code, Adopted: ledger.Adopted{ID: cell(idAt), LeadID: cell(leadAt), State: ledger.Loaded}}
	if one.number == 0 {
		one.number = row.Number
	}
	one.Sent, _ = time.Parse(time.DateTime, cell(sentAt)) // a row loaded by an earlier run has none
	result, known := ledger.ParseResult(cell(resultAt))
	one.Entry = ex.Entry(row)
	if err := ledger.Respell(ctx, r.led, r.scope, &one.Entry); err != nil {
		return err
	}
	named := one.Entry.Verdict == 0
	occurrence := 1
	if named && !one.Entry.HasKey {
		r.seen[one.Entry.Identity]++
		occurrence = r.seen[one.Entry.Identity]
	}
	switch result {
	case ledger.ResultLoaded, ledger.ResultUpdated, ledger.ResultAlready:
	case ledger.ResultDuplicate:
		one.State = ledger.Duplicate
	case ledger.ResultInDoubt, ledger.ResultPending:
		if one.unsure = one.ID != ""; !one.unsure {
			// A pending row's request id is not in this sheet, so it is looked for as a row in doubt.
			one.State = ledger.InDoubt
		}
	default:
		if one.unsure = one.ID != ""; !one.unsure {
			r.res.Totals.Add(words.NeverLoaded, 1)
			if !known && cell(resultAt) != "" {
				r.tell(&one, words.NeverLoaded, fmt.Sprintf("its result %q is not one that leadload writes", cell(resultAt)))
			}
			return nil
		}
	}
	if !named {
		why := one.Entry.Msg
		if one.State != ledger.InDoubt {
			if named = ex.ByKey(row, &one.Entry); named {
				if err := ledger.Respell(ctx, r.led, r.scope, &one.Entry); err != nil {
					return err
				}
			}
		}
		if !named {
			r.res.Totals.Add(words.Unmapped, 1)
			r.tell(&one, words.Unmapped, why)
			return nil
		}
		// Its key names it, and what was sent of it is not known.
		one.unsure = true
		r.tell(&one, words.WrittenDown, "known by its key alone: "+why)
	}
	one.Entry.Number = one.number
	one.Entry.Ident = one.Entry.IdentOf(occurrence)
	if whole := one.Entry.Verdict == 0; whole && one.State == ledger.Loaded {
		for _, f := range ex.Record.Fields {
			if slices.Contains(ex.Record.KeyFields, f.Name) {
				one.keys = append(one.keys, mapping.Field{Name: f.Name, Value: strings.Clone(f.Value)})
			}
		}
	}
	if one.State == ledger.InDoubt || one.keys != nil {
		one.Payload = send.RowOf(r.job.Mapping, 0, one.number, &ex.Record).Payload
	}
	if one.unsure {
		one.values = make(map[string]string, len(ex.Record.Fields))
		one.leadField, one.leadText = ex.Record.LeadField, strings.Clone(ex.Record.LeadText)
		for _, f := range ex.Record.Fields {
			one.values[f.Name] = strings.Clone(f.Value)
		}
	}
	if one.code == 0 {
		one.code = eventCode(ex.Record.Fields)
	}
	if r.batch = append(r.batch, one); len(r.batch) == readChunk {
		return r.flush(ctx)
	}
	return nil
}

func (r *restorer) tell(one *restoredRow, result int, why string) {
	if r.job.Tell != nil {
		r.job.Tell(RestoredRow{Row: one.number, ID: one.ID, Result: result, Why: why})
	}
}

// flush checks the rows at hand and writes them down.
func (r *restorer) flush(ctx context.Context) error {
	back, err := r.read(ctx)
	if err != nil {
		return err
	}
	leads, err := r.leadsOf(ctx, back)
	if err != nil {
		return err
	}
	owners, err := r.owners(ctx)
	if err != nil {
		return err
	}
	var list []ledger.Adopted
	for i := range r.batch {
		one := &r.batch[i]
		b, asked := back[strings.ToLower(one.ID)]
		switch {
		case !asked:
		case b.Presence == target.Gone:
			r.res.Totals.Add(words.NotThere, 1)
			r.tell(one, words.NotThere, "the account does not have it; an import sends the row again")
			continue
		case b.Presence != target.Present:
			r.res.Totals.Add(words.Unchecked, 1)
			r.tell(one, words.Unchecked, b.Why)
			continue
		}
		if key := one.otherKey(b); key != "" {
			r.tell(one, words.StillOpen, fmt.Sprintf("the record of this id carries the key %q: the ids of the file may have been moved; the next import looks the row up", key))
			one.Adopted.ID, one.LeadID, one.State, one.unsure = "", "", ledger.InDoubt, false
		}
		if one.State != ledger.InDoubt {
			one.Payload = ledger.Payload{}
		} else if one.Sent.IsZero() {
			one.Sent = time.Now()
		}
		if other := owners[strings.ToLower(one.ID)]; one.ID != "" && one.State == ledger.Loaded && other != one.Entry.Ident {
			one.State = ledger.Duplicate
			r.tell(one, words.WrittenDown, "another row has this id: taken as a duplicate")
		}
		if one.unsure {
			one.Entry.Digest = r.sentOf(one, b, leads[strings.ToLower(one.LeadID)])
		}
		list = append(list, one.Adopted)
	}
	r.batch = r.batch[:0]
	for chunk := range slices.Chunk(list, plan.Batch) {
		if err := r.adopt(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// otherKey returns the key that the record of a row's id shows, where that is another
// row's: somebody may have sorted or filled one column of the file. An empty one
// proves nothing.
func (one *restoredRow) otherKey(b target.Back) string {
	for _, k := range one.keys {
		if has, shown := b.Values[k.Name]; shown && has != "" && !leadsquared.SameValue(k.Value, has) {
			return has
		}
	}
	return ""
}

// adopt writes rows down, and counts them.
func (r *restorer) adopt(ctx context.Context, list []ledger.Adopted) error {
	idents, known := make([]ledger.Ident, len(list)), make([]ledger.Record, len(list))
	for i := range list {
		idents[i] = list[i].Entry.Ident
	}
	if err := r.led.Known(ctx, r.scope, idents, known); err != nil {
		return err
	}
	if _, err := r.led.Adopt(ctx, r.scope, list); err != nil {
		return err
	}
	fresh := map[ledger.Ident]bool{}
	for i := range list {
		at := words.WrittenDown
		switch s := known[i].State(); {
		case fresh[idents[i]] || known[i].ID != 0 && (s.Ended() || s.Open()):
			at = words.InLedger
		case list[i].State == ledger.InDoubt:
			at = words.StillOpen
		}
		fresh[idents[i]] = true
		r.res.Totals.Add(at, 1)
	}
	return nil
}

// read asks the account for the records of the rows at hand.
func (r *restorer) read(ctx context.Context) (map[string]target.Back, error) {
	if r.reader == nil || r.Session == nil {
		return nil, nil
	}
	var wanted []wantedRecord
	for i := range r.batch {
		if one := &r.batch[i]; one.ID != "" {
			wanted = append(wanted, wantedRecord{target.Wanted{ID: one.ID, Lead: one.LeadID}, one.code, one.Sent})
		}
	}
	r.live.total.Add(int64(len(wanted)))
	return r.readBack(ctx, r.reader, r.fields, wanted)
}

// owners returns the rows that have the ids of the rows at hand: those of the
// ledger, and of several rows at hand the first.
func (r *restorer) owners(ctx context.Context) (map[string]ledger.Ident, error) {
	owners := map[string]ledger.Ident{}
	var ids []string
	var mine []ledger.Ident
	for i := range r.batch {
		one := &r.batch[i]
		if _, there := owners[strings.ToLower(one.ID)]; one.ID == "" || there {
			continue
		}
		owners[strings.ToLower(one.ID)] = one.Entry.Ident
		ids, mine = append(ids, one.ID), append(mine, one.Entry.Ident)
	}
	for from := 0; from < len(ids); from += plan.Batch {
		to := min(from+plan.Batch, len(ids))
		records, err := r.led.Owners(ctx, r.acct, ids[from:to]...)
		if err != nil || len(records) == 0 {
			if err != nil {
				return nil, err
			}
			continue
		}
		known := make([]ledger.Record, to-from)
		if err := r.led.Known(ctx, r.scope, mine[from:to], known); err != nil {
			return nil, err
		}
		own := map[string]int64{}
		for i := range known {
			own[strings.ToLower(ids[from+i])] = known[i].ID
		}
		for id, record := range records {
			if id = strings.ToLower(id); own[id] != record {
				owners[id] = ledger.Ident{} // no row at hand
			}
		}
	}
	return owners, nil
}

// leadsOf reads the leads of rows whose values may not be what was sent last, one
// call each.
func (r *restorer) leadsOf(ctx context.Context, back map[string]target.Back) (map[string]target.Back, error) {
	if r.Session == nil {
		return nil, nil
	}
	var ids []string
	for i := range r.batch {
		one := &r.batch[i]
		if one.LeadID == "" {
			one.LeadID = back[strings.ToLower(one.ID)].Lead
		}
		if one.unsure && one.LeadID != "" && back[strings.ToLower(one.ID)].Presence == target.Present {
			ids = append(ids, strings.ToLower(one.LeadID))
		}
	}
	slices.Sort(ids)
	return target.ReadLeads(ctx, r.line, slices.Compact(ids))
}

// sentOf returns the prints of what was sent last for a row whose values may be
// others: those of fields that the account has as the row, and the account's own
// where nobody has changed the record since it was made. A field that no read shows
// is taken as the row has it. The others are not known, so that an update looks
// before it writes.
func (r *restorer) sentOf(one *restoredRow, b, lead target.Back) ledger.Digest {
	untouched := !b.Created.IsZero() && b.Created.Equal(b.Modified)
	d := one.Entry.Digest
	out := ledger.Digest{Prints: []byte{}} // its Body is that of no row
	keep := func(name string, print uint32) {
		out.Names, out.Prints = append(out.Names, name), binary.LittleEndian.AppendUint32(out.Prints, print)
	}
	if d.Names == nil && untouched {
		for _, name := range slices.Sorted(maps.Keys(b.Values)) {
			keep(name, compare.Print(b.Values[name]))
		}
	}
	for i, name := range d.Names {
		print := binary.LittleEndian.Uint32(d.Prints[4*i:])
		has, shown := b.Values[name]
		switch {
		case name == "lead" || name == leadPrefix+one.leadField:
			// Another lead than the record's is a change that nobody may miss.
			if has, shown := lead.Values[leadPrefix+one.leadField]; !shown || leadsquared.SameValue(one.leadText, has) {
				keep(name, print)
			}
		case strings.HasPrefix(name, leadPrefix):
			if lead.Presence == target.Present && leadsquared.SameValue(one.values[name], lead.Values[name]) {
				keep(name, print)
			}
		case shown && leadsquared.SameValue(one.values[name], has):
			keep(name, print)
		case shown && untouched:
			keep(name, compare.Print(has))
		case shown || r.reader != nil && r.reader.Shows(name):
		default:
			keep(name, print)
		}
	}
	return out
}
