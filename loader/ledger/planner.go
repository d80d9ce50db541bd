package ledger

import (
	"context"
	"encoding/binary"
	"slices"
)

// Planner takes a run's rows through the first pass, a batch at a time: it
// asks a store for what it knows of them, decides, and writes the decisions.
// It serves one pass over one file, one goroutine at a time.
type Planner struct {
	Store      Store
	Lease      Lease
	Run, Scope int64
	Policy     Policy // about rows that changed

	// Decided is told the rows of a batch once it is decided about them, before they
	// are written; nil: nobody.
	Decided func(ctx context.Context, entries []Entry) error

	// Refused are the rows so far that the account refused in an earlier run and
	// that are sent again.
	Refused map[int]bool
	// Renamed counts the rows so far that were found by the identity that an earlier
	// mapping gives them, by its name; Remade the loaded rows for each field that the
	// mapping has gained, lost or makes in another way now, and RemadeRows all of them.
	Renamed    map[string]int64
	Remade     map[string]int64
	RemadeRows int64
	Unfit      int64 // rows so far that are loaded, and cannot be sent as they are written now

	aside  Set // records of rows that are looked up by their key alone
	rows   firstRows
	again  map[Ident]int // occurrences so far of bodies that came more than once
	batch  map[Ident]int // where in the batch a record's first row stands
	idents []Ident
	known  []Record
	places []int // of the entries that idents belongs to

	given map[Ident]bool // of new rows of this batch
	// Where the search for an occurrence that is free begins, and that for a record which
	// is not taken, of equal rows without a key. Their ident of occurrence 0 names them.
	free, from map[Ident]int
	taken      map[int64]bool   // records of rows of this batch
	found      map[uint64]place // keys of rows that an earlier mapping's identity has found
	moved      int              // values that are kept so far
}

// mostMoved bounds the fields of changed rows whose values a run keeps.
const mostMoved = 10_000

// place is the row in which a record came first.
type place struct {
	record int64
	row    int
}

// short is as much of an identity as tells the rows of one file apart.
func (i *Ident) short() uint64 { return binary.LittleEndian.Uint64(i[:8]) }

// Plan decides about the next rows of the file and writes them into the run.
// All entries are written in one transaction, which is on disk when the first
// row may leave. Rows that an earlier run was refused become Ready again.
func (p *Planner) Plan(ctx context.Context, entries []Entry) error {
	if p.batch == nil {
		p.free, p.from = map[Ident]int{}, map[Ident]int{}
		p.batch, p.again, p.taken, p.given = map[Ident]int{}, map[Ident]int{}, map[int64]bool{}, map[Ident]bool{}
	}
	clear(p.batch)
	clear(p.taken)
	clear(p.given)
	var spelled []*Entry
	for i := range entries {
		if len(entries[i].Spellings) > 0 {
			spelled = append(spelled, &entries[i])
		}
	}
	if err := Respell(ctx, p.Store, p.Scope, spelled...); err != nil {
		return err
	}
	if err := p.keep(ctx, entries); err != nil {
		return err
	}
	p.idents, p.places = p.idents[:0], p.places[:0]
	for i := range entries {
		e := &entries[i]
		if e.Unfit {
			continue
		}
		e.Record, e.SameAs = 0, 0
		if e.Verdict == 0 {
			e.Ident = e.IdentOf(1)
			p.idents, p.places = append(p.idents, e.Ident), append(p.places, i)
		}
	}
	if err := p.ask(ctx); err != nil {
		return err
	}
	var strangers []int // rows whose identity nobody knows
	for _, k := range p.known {
		if k.ID != 0 {
			p.taken[k.ID] = true
		}
	}
	// Equal rows without a key: the second is looked up as the second.
	var others []int
	for k, i := range p.places {
		e, known := &entries[i], &p.known[k]
		first, inBatch := p.batch[e.Ident]
		if !inBatch {
			p.batch[e.Ident] = i
		}
		earlier := p.rows.get(known.ID)
		if inBatch && earlier == 0 {
			earlier = entries[first].Number
		}
		if earlier != 0 && !e.HasKey {
			n := max(p.again[e.Ident], 1) + 1
			p.again[e.Ident] = n
			e.Ident = e.IdentOf(n)
			others = append(others, i)
			continue
		}
		if earlier == 0 && known.ID == 0 {
			if at, ok := p.found[e.Ident.short()]; ok && e.HasKey {
				p.decide(e, nil, at.row)
				e.Record = at.record
				continue
			}
			if e.Earlier != nil {
				strangers = append(strangers, i)
				continue
			}
		}
		if known.ID == 0 {
			known = nil
		}
		p.decide(e, known, earlier)
		if inBatch && e.Record == 0 {
			e.SameAs = first + 1
		}
	}
	if len(others) > 0 {
		p.idents = p.idents[:0]
		for _, i := range others {
			p.idents = append(p.idents, entries[i].Ident)
		}
		if err := p.ask(ctx); err != nil {
			return err
		}
		for k, i := range others {
			known := &p.known[k]
			switch {
			case known.ID != 0:
				p.taken[known.ID] = true
				p.decide(&entries[i], known, 0)
			case entries[i].Earlier != nil:
				strangers = append(strangers, i)
			default:
				p.decide(&entries[i], nil, 0)
			}
		}
	}
	if err := p.recognise(ctx, entries, strangers); err != nil {
		return err
	}
	if p.Decided != nil {
		if err := p.Decided(ctx, entries); err != nil {
			return err
		}
	}
	for i := range entries {
		// A mapping that changes every value makes no second copy of the file here.
		if e := &entries[i]; p.moved >= mostMoved {
			e.Moved = nil
		} else {
			p.moved += len(e.Moved)
		}
	}
	if err := p.Store.Plan(ctx, p.Lease, p.Run, p.Scope, entries); err != nil {
		return err
	}
	for i := range entries {
		if e := &entries[i]; e.Record != 0 && e.Verdict != Repeated && !e.Unfit {
			p.rows.set(e.Record, e.Number)
		}
	}
	return nil
}

// keep looks up the records of rows that are not to be sent, by their keys.
func (p *Planner) keep(ctx context.Context, entries []Entry) error {
	p.idents, p.places = p.idents[:0], p.places[:0]
	for i := range entries {
		if e := &entries[i]; e.Aside() {
			p.idents, p.places = append(p.idents, e.IdentOf(1)), append(p.places, i)
		}
	}
	if len(p.places) == 0 {
		return nil
	}
	if err := p.ask(ctx); err != nil {
		return err
	}
	for k, i := range p.places {
		e, known := &entries[i], &p.known[k]
		if known.ID != 0 {
			p.aside.Add(known.ID)
		}
		if Keep(e, known); e.Unfit {
			p.Unfit++
		}
	}
	return nil
}

// recognise decides about rows whose identity is not known: an earlier mapping
// may have named them otherwise.
func (p *Planner) recognise(ctx context.Context, entries []Entry, strangers []int) error {
	slices.Sort(strangers)
	for _, i := range strangers {
		e, known := &entries[i], Record{}
		name, err := Recognise(ctx, p.Store, p.Scope, e, func(record int64) bool { return p.taken[record] || p.rows.get(record) != 0 }, p.from, &known)
		if err != nil {
			return err
		}
		if name == "" {
			if err := p.number(ctx, e); err != nil {
				return err
			}
			p.decide(e, nil, 0)
			continue
		}
		p.taken[known.ID] = true
		if e.HasKey {
			if p.found == nil {
				p.found = map[uint64]place{}
			}
			p.found[e.Ident.short()] = place{known.ID, e.Number}
		}
		p.decide(e, &known, 0)
		p.Tell(nil, &known, name)
	}
	return nil
}

// number gives a new row without a key the first occurrence that no record has.
// Equal rows that an earlier mapping has named leave theirs free; a gap would end
// the search for those behind it.
func (p *Planner) number(ctx context.Context, e *Entry) error {
	if e.HasKey {
		return nil
	}
	one := make([]Record, 1)
	for n := max(p.free[e.IdentOf(0)], 1); ; n++ {
		ident := e.IdentOf(n)
		if p.given[ident] {
			continue
		}
		if err := p.Store.Known(ctx, p.Scope, []Ident{ident}, one); err != nil {
			return err
		}
		if one[0].ID == 0 {
			e.Ident, p.given[ident] = ident, true
			if n > 1 { // most rows have no equals
				p.free[e.IdentOf(0)] = n + 1
			}
			return nil
		}
	}
}

// decide decides about one row.
func (p *Planner) decide(e *Entry, known *Record, earlier int) {
	Decide(e, known, earlier, &p.Policy)
	p.Tell(e, known, "")
	if e.Replan && known.State() == Rejected {
		if p.Refused == nil {
			p.Refused = map[int]bool{}
		}
		p.Refused[e.Number] = true
	}
}

// Tell counts what the mapping has done to a row that is loaded: name is that of
// the earlier mapping by whose identity it was found, or "".
func (p *Planner) Tell(e *Entry, known *Record, name string) {
	if known == nil || !known.State().Ended() {
		return
	}
	if name != "" {
		if p.Renamed == nil {
			p.Renamed = map[string]int64{}
		}
		p.Renamed[name]++
	}
	if e == nil || len(e.Remade)+len(e.Lost) == 0 {
		return
	}
	if p.Remade == nil {
		p.Remade = map[string]int64{}
	}
	p.RemadeRows++
	for _, list := range [...][]string{e.Remade, e.Lost} {
		for _, f := range list {
			p.Remade[f]++
		}
	}
}

// Saw reports whether a row of the pass has a record.
func (p *Planner) Saw(record int64) bool { return p.rows.get(record) != 0 || p.aside.Has(record) }

// Records returns the records that rows of the pass have.
func (p *Planner) Records() Set {
	out := p.aside.Clone()
	for page, rows := range p.rows {
		for i, row := range rows {
			if row != 0 {
				out.Add(page*rowPage + int64(i))
			}
		}
	}
	return out
}

// ask looks up idents and keeps the answers in known, in their order.
func (p *Planner) ask(ctx context.Context) error {
	if cap(p.known) < len(p.idents) {
		p.known = make([]Record, len(p.idents))
	}
	p.known = p.known[:len(p.idents)]
	return p.Store.Known(ctx, p.Scope, p.idents, p.known)
}

// firstRows remembers in which row of a pass a record came first: 4 bytes for
// each record.
type firstRows map[int64]*[rowPage]uint32

const rowPage = 1 << 10

func (f *firstRows) get(record int64) int {
	if page := (*f)[record/rowPage]; page != nil {
		return int(page[record%rowPage])
	}
	return 0
}

func (f *firstRows) set(record int64, row int) {
	if *f == nil {
		*f = firstRows{}
	}
	page := (*f)[record/rowPage]
	if page == nil {
		page = new([rowPage]uint32)
		(*f)[record/rowPage] = page
	}
	page[record%rowPage] = uint32(row)
}
