package plan

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/maphash"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/text/unicode/norm"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/mapping"
)

// A ledger that has other rows than a file's is asked in vain for every row, and one
// that has the same rows is asked for each whether it has changed. After as many
// questions as a small file has rows, all its identities are read once, or all
// marks of its records, unless that is so much that memory would grow with it.
var identsAfter, identsMost = 4_096, IdentsMost

// IdentsMost is how many records of a ledger are read at once at most.
const IdentsMost = 2_000_000

// With so many keys, garbage is collected before there is as much of it as of
// them. That costs next to nothing, because keys hold no pointers. Beside the values of
// rows, which do, it is done sooner and less.
const (
	manyKeys, lessGarbage             = 1 << 20, 25
	manyKeysBeside, lessGarbageBeside = 1 << 18, 50
)

// Check takes a file through reading, mapping and deciding, and writes
// nothing: one goroutine reads, several map, and the caller sees the rows in
// the order of the file.
type Check struct {
	File    *source.File
	Mapping *mapping.Mapping
	Program *mapping.Program
	Rows    RowSet
	Store   ledger.Store // nil: nothing was ever loaded
	Scope   int64        // of the mapping's target; 0: nothing was ever loaded into it
	Bodies  bool         // rows get their Body
	Values  bool         // rows get their Values
	Cells   bool         // rows get their Cells, those that cannot be read too
	Prints  bool         // rows get their Fingerprint
	// Marks lets rows that have not changed be known by their marks: of their records
	// only the number and the fate are read.
	Marks bool
	// Judge makes what holds rows against the account, one for each goroutine;
	// nil for none.
	Judge func() Judge
	// Sampler takes conversions for the user to look at; it may be nil.
	Sampler *mapping.Sampler
	// Policy is about rows that changed.
	Policy  ledger.Policy
	Earlier *Earlier // mappings of earlier runs; nil: there are none
	// Told counts what the earlier mappings explain, as ledger.Planner does.
	Told ledger.Planner

	taken map[int64]bool       // records that a row of the file has
	from  map[ledger.Ident]int // of ledger.Recognise

	brief   bool // nothing was ever loaded
	seeds   [2]maphash.Seed
	keys    keySet
	sources Sources
	missed  int // rows looked for in the ledger in vain
	same    int // rows found there by their identity whose record has their Source
	strayed int // of those, rows whose record is not where the row before lets it be
	idents  atomic.Pointer[map[uint64]struct{}]
	marks   atomic.Pointer[ledger.MarkSet]
	ahead   atomic.Int64 // how far the record of the last row that had one is ahead of the row
	known   []ledger.Record
	found   []ledger.Record // of the batch's rows that are marked
	warned  []*mapping.Seen // of each worker's runners
}

// Run calls each for every row, in order; it is valid during the call.
func (c *Check) Run(ctx context.Context, each func(*Row) error) (Seen, error) {
	c.brief, c.from = c.Store == nil || c.Scope == 0, map[ledger.Ident]int{}
	c.seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	lean, percent := false, 0
	many, less := manyKeys, lessGarbage
	if c.Values {
		many, less = manyKeysBeside, lessGarbageBeside
	}
	defer func() {
		if lean {
			debug.SetGCPercent(percent)
		}
	}()
	p := pass{file: c.File, rows: c.Rows, first: Batch, most: Batch, cells: c.Cells, prints: c.Prints}
	if !c.brief {
		p.key, c.sources = c.Mapping.Key, NewSources(c.Mapping, c.File)
	}
	var changes *moves
	return p.run(ctx, func() func(*rowBatch) { return c.worker().examine }, func(b *rowBatch) error {
		if err := c.decide(ctx, b.rows, b.cells); err != nil {
			return err
		}
		if !c.brief {
			if changes == nil {
				changes = newMoves(c.Mapping, c.Program.Runner())
			}
			if err := changes.tell(ctx, c.Store, b, func(i int) *ledger.Entry { return &b.rows[i].Entry }); err != nil {
				return err
			}
		}
		if !lean && c.keys.n >= many {
			lean, percent = true, debug.SetGCPercent(less)
		}
		for i := range b.rows {
			row := &b.rows[i]
			if c.Cells && row.to > row.from {
				row.Cells = b.of(row)
			}
			if c.Sampler != nil && row.read {
				c.Sampler.Take(b.of(row))
			}
			if err := each(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkWorker maps rows on a goroutine of its own.
type checkWorker struct {
	*Check
	// judge makes no bodies, full does; either may be nil. With both, full
	// takes the rows that the ledger may know.
	judge, full *Examiner
	known       int // rows of the last batch that the ledger may know
}

// worker does no more with a row than somebody looks at.
func (c *Check) worker() *checkWorker {
	w := &checkWorker{Check: c}
	if c.Judge == nil && !c.Bodies && c.Earlier == nil && (c.brief || len(c.Mapping.Key) > 0) {
		w.judge = NewExaminer(c.Mapping, c.Program.Judge())
		w.judge.Brief = true
	}
	if !c.brief || w.judge == nil {
		w.full = NewExaminer(c.Mapping, c.Program.Runner())
		w.full.Brief = c.brief
		if c.Judge != nil {
			w.full.judge = c.Judge()
		}
	}
	for _, ex := range [...]*Examiner{w.judge, w.full} {
		if ex != nil {
			c.warned = append(c.warned, ex.runner.Seen())
		}
	}
	return w
}

// examine maps the rows of a batch that can be read.
func (w *checkWorker) examine(b *rowBatch) {
	c := w.Check
	// Where most rows are known, a first look at each would be one too many, unless it
	// is by a mark.
	both := w.judge != nil && w.full != nil
	marks := c.marks.Load()
	twice := both && (marks != nil || w.known <= len(b.rows)/2)
	w.known = 0
	near := int64(0) // the record that the next row should be
	for i := range b.rows {
		row := &b.rows[i]
		cells := b.of(row)
		if row.keyed {
			w.full.faulty(&row.Entry, cells)
		}
		if !row.read {
			continue
		}
		e := &row.Entry
		ex := w.full
		if ex == nil || twice {
			ex = w.judge
		}
		ex.examine(e, cells)
		if twice && e.Aside() {
			ex.keyed(e)
		}
		if e.Verdict == 0 && twice && marks != nil && plainKey(ex.Record.Key) {
			e.Source = c.sources.ofCells(cells)
			if near == 0 {
				near = int64(e.Number) + c.ahead.Load()
			}
			if record := marks.Find(e.Source, near); record != 0 {
				row.marked, row.name, e.Record = true, c.hash(ex.Record.Key), record
				near = record + 1
				continue
			}
		}
		if e.Verdict == 0 && both {
			if twice {
				ex.keyed(e)
			}
			if e.Fresh = !c.mayKnow(e); !e.Fresh {
				if c.Marks && e.Source == 0 {
					e.Source = c.sources.ofCells(cells)
				}
				if w.known++; twice {
					ex = w.full
					ex.again = true
					ex.examine(e, cells)
					ex.again = false
				}
			}
		}
		if e.Verdict == ledger.Skipped {
			continue
		}
		if e.Verdict == ledger.Invalid {
			row.Problems = slices.Clone(ex.Record.Problems)
			continue
		}
		switch row.name = e.Identity; {
		case e.HasKey && c.brief:
			row.name = c.hash(norm.NFC.String(ex.Record.Key))
		case e.HasKey && len(e.Spellings) == 0:
			row.name = c.hash(ex.Record.Key)
		case e.HasKey:
			row.names = c.spelled(ex)
		}
		if e.WantField != "" {
			row.Lead = c.hash(e.WantValue)
		}
		if c.Bodies {
			row.Body = bytes.Clone(ex.Record.Body)
		}
		if c.Values && e.Verdict == 0 && !e.Fresh {
			row.Values = cloneFields(ex.Record.Fields)
		}
	}
}

// decide says what is to be done with the rows of a batch.
func (c *Check) decide(ctx context.Context, rows []Row, cells []converter.Cell) error {
	if !c.brief {
		var spelled []*ledger.Entry
		for i := range rows {
			if len(rows[i].Spellings) > 0 {
				spelled = append(spelled, &rows[i].Entry)
			}
		}
		if err := ledger.Respell(ctx, c.Store, c.Scope, spelled...); err != nil {
			return err
		}
		for i := range rows {
			if row := &rows[i]; row.names != nil {
				row.name, row.names = row.names[row.Identity], nil
			}
		}
	}
	if err := c.keep(ctx, rows); err != nil {
		return err
	}
	c.keys.warm(rows)
	var asked []int
	var idents []ledger.Ident
	marked := 0
	earlier := make([]int, len(rows))
	for i := range rows {
		e := &rows[i].Entry
		if e.Verdict != 0 {
			continue
		}
		occurrence := 1
		switch {
		case e.HasKey:
			if first := c.keys.add(rows[i].name, e.Number); first != e.Number {
				earlier[i] = first
			}
		case !c.brief:
			occurrence = c.keys.count(rows[i].name)
		}
		switch {
		case rows[i].marked:
			marked++
		case !c.brief && !e.Fresh && earlier[i] == 0:
			e.Ident = e.IdentOf(occurrence)
			asked, idents = append(asked, i), append(idents, e.Ident)
		}
	}
	if len(asked) > 0 {
		for i := range asked {
			rows[asked[i]].Earlier = c.Earlier.of(cells[rows[asked[i]].from:rows[asked[i]].to])
		}
		c.known = slices.Grow(c.known[:0], len(asked))[:len(asked)]
		if err := c.Store.Known(ctx, c.Scope, idents, c.known); err != nil {
			return err
		}
		if err := c.learn(ctx, rows, asked); err != nil {
			return err
		}
	}
	c.found = slices.Grow(c.found[:0], marked)[:0]
	for i := range rows {
		e := &rows[i].Entry
		var known *ledger.Record
		if len(asked) > 0 && asked[0] == i {
			if r := &c.known[len(c.known)-len(asked)]; r.ID != 0 {
				known = r
			}
			asked = asked[1:]
		}
		if e.Verdict != 0 {
			continue
		}
		if rows[i].marked && earlier[i] == 0 {
			c.found = append(c.found, ledger.Record{ID: e.Record, Fate: ledger.Present, Body: e.Mark()})
			known = &c.found[len(c.found)-1]
			c.ahead.Store(e.Record - int64(e.Number))
		}
		name := ""
		if known == nil && earlier[i] == 0 && e.Earlier != nil {
			var was ledger.Record // here, so that the other rows allocate none
			var err error
			if name, err = ledger.Recognise(ctx, c.Store, c.Scope, e, func(record int64) bool { return c.taken[record] }, c.from, &was); err != nil {
				return err
			}
			if name != "" {
				known = &was
			}
		}
		if known != nil && c.Earlier != nil {
			if c.taken == nil {
				c.taken = map[int64]bool{}
			}
			c.taken[known.ID] = true
		}
		ledger.Decide(e, known, earlier[i], &c.Policy)
		c.Told.Tell(e, known, name)
		rows[i].Known = known
		e.Earlier = nil // the cells are the next batch's
	}
	return nil
}

// keep looks up the records of rows that are not to be sent, by their keys.
func (c *Check) keep(ctx context.Context, rows []Row) error {
	var places []int
	var idents []ledger.Ident
	for i := range rows {
		if e := &rows[i].Entry; !c.brief && e.Aside() && c.mayKnow(e) {
			places, idents = append(places, i), append(idents, e.IdentOf(1))
		}
	}
	if len(places) == 0 {
		return nil
	}
	known := make([]ledger.Record, len(places))
	if err := c.Store.Known(ctx, c.Scope, idents, known); err != nil {
		return err
	}
	for k, i := range places {
		if known[k].ID == 0 {
			continue
		}
		rows[i].Known = &known[k]
		if ledger.Keep(&rows[i].Entry, &known[k]); rows[i].Unfit {
			c.Told.Unfit++
		}
	}
	return nil
}

// learn counts what the ledger said of rows that were looked for. Once it is worth while, it reads
// which records the ledger has, so that mayKnow can tell, or their marks.
func (c *Check) learn(ctx context.Context, rows []Row, asked []int) error {
	missed, same := c.missed, c.same
	for k, i := range asked {
		switch known := &c.known[k]; {
		case known.ID == 0:
			c.missed++
		case rows[i].Source != 0 && known.Body == rows[i].Mark():
			c.same++
			c.ahead.Store(known.ID - int64(rows[i].Number))
		}
	}
	if missed < identsAfter && c.missed >= identsAfter {
		set, err := c.Store.Idents(ctx, c.Scope, identsMost)
		if err != nil {
			return err
		}
		if set != nil {
			c.idents.Store(&set)
		}
	}
	if marks := c.marks.Load(); marks != nil {
		if c.strayed += c.same - same; c.strayed >= identsAfter {
			marks.Index()
		}
	}
	if same < identsAfter && c.same >= identsAfter {
		set, err := c.Store.Marks(ctx, c.Scope, identsMost)
		if err != nil {
			return err
		}
		if set != nil {
			c.marks.Store(set)
		}
	}
	return nil
}

// mayKnow reports whether the ledger may have a record of a row with a key. A
// row that it does not know needs no digest. Any goroutine may ask.
func (c *Check) mayKnow(e *ledger.Entry) bool {
	set := c.idents.Load()
	if set == nil || !e.HasKey || len(e.Spellings) > 0 { // which of them it knows is asked
		return true
	}
	ident := e.IdentOf(1)
	_, ok := (*set)[binary.LittleEndian.Uint64(ident[:8])]
	return ok
}

// spelled returns the names of a row's key in all its spellings, by the identities that
// these give it.
func (c *Check) spelled(ex *Examiner) map[[16]byte][16]byte {
	names := map[[16]byte][16]byte{}
	key := ex.Record.Key
	for _, spelling := range []string{key, norm.NFC.String(key), norm.NFD.String(key)} {
		names[ex.identityOf(spelling)] = c.hash(spelling)
	}
	return names
}

// hash is a name for a text that holds within this check.
func (c *Check) hash(s string) (h [16]byte) {
	binary.LittleEndian.PutUint64(h[:8], maphash.String(c.seeds[0], s))
	binary.LittleEndian.PutUint64(h[8:], maphash.String(c.seeds[1], s))
	return h
}

// cloneFields copies fields whose values belong to a runner, with one allocation
// for all of their texts.
func cloneFields(fields []mapping.Field) []mapping.Field {
	n := 0
	for i := range fields {
		n += len(fields[i].Value)
	}
	var b strings.Builder
	b.Grow(n)
	for i := range fields {
		b.WriteString(fields[i].Value)
	}
	all := b.String()
	out := make([]mapping.Field, len(fields))
	for i, f := range fields {
		out[i] = mapping.Field{Name: f.Name, Value: all[:len(f.Value)]}
		all = all[len(f.Value):]
	}
	return out
}

// Warnings returns what the mapping has to say of the rows once all are seen.
func (c *Check) Warnings() []string { return warnings(c.warned) }
