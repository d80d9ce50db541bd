package ledger

import "context"

// Planner takes a run's rows through the first pass, a batch at a time: it
// asks a store for what it knows of them, decides, and writes the decisions.
// It serves one pass over one file, one goroutine at a time.
type Planner struct {
	Store      Store
	Lease      Lease
	Run, Scope int64
	Policy     Policy // about rows that changed

	// Refused are the rows so far that the account refused in an earlier run and
	// that are sent again.
	Refused map[int]bool

	rows   firstRows
	again  map[Ident]int // occurrences so far of bodies that came more than once
	batch  map[Ident]int // where in the batch a record's first row stands
	idents []Ident
	known  []Record
	places []int // of the entries that idents belongs to
}

// Plan decides about the next rows of the file and writes them into the run.
// All entries are written in one transaction, which is on disk when the first
// row may leave. Rows that an earlier run was refused become Ready again.
func (p *Planner) Plan(ctx context.Context, entries []Entry) error {
	if p.batch == nil {
		p.batch, p.again = map[Ident]int{}, map[Ident]int{}
	}
	clear(p.batch)
	p.idents, p.places = p.idents[:0], p.places[:0]
	for i := range entries {
		e := &entries[i]
		e.Record, e.SameAs = 0, 0
		if e.Verdict == 0 {
			e.Ident = e.IdentOf(1)
			p.idents, p.places = append(p.idents, e.Ident), append(p.places, i)
		}
	}
	if err := p.ask(ctx); err != nil {
		return err
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
			if known.ID == 0 {
				known = nil
			}
			p.decide(&entries[i], known, 0)
		}
	}
	if err := p.Store.Plan(ctx, p.Lease, p.Run, p.Scope, entries); err != nil {
		return err
	}
	for i := range entries {
		if e := &entries[i]; e.Record != 0 && e.Verdict != Repeated {
			p.rows.set(e.Record, e.Number)
		}
	}
	return nil
}

// decide decides about one row.
func (p *Planner) decide(e *Entry, known *Record, earlier int) {
	Decide(e, known, earlier, &p.Policy)
	if e.Replan && known.State() == Rejected {
		if p.Refused == nil {
			p.Refused = map[int]bool{}
		}
		p.Refused[e.Number] = true
	}
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
