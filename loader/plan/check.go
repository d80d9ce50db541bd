package plan

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/maphash"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/mapping"
)

// A batch goes from the reader to a worker at once when it has so many rows:
// few enough for its cells to stay in a core's cache, and enough for the
// hand-over to cost nothing. Wide rows and long texts fill it sooner, so that
// memory does not grow with them.
const (
	checkBatch = 512
	batchCells = 32 << 10
	batchBytes = 1 << 20 // of the cells' texts
)

// A ledger that has other rows than a file's is asked in vain for every row.
// After as many questions as a small file has rows, all its identities are
// read once, unless that is so much that memory would grow with it.
var identsAfter, identsMost = 4_096, 2_000_000

// With so many keys, garbage is collected before there is as much of it as of
// them. That costs next to nothing, because keys hold no pointers.
const manyKeys = 1 << 20

// Row is one row on its way through a check.
type Row struct {
	ledger.Entry
	Faults   []*source.Error      // of the file
	Problems []mapping.RowProblem // of the mapping or the account
	Body     []byte               // only where Check.Bodies asks for it
	Lead     [16]byte             // names the lead that has to be looked up
	Values   []mapping.Field      // of the body, where Check.Values asks for them and the ledger may know the row
	Cells    []converter.Cell     // of the file, where Check.Cells asks for them; their texts stay valid
	Known    *ledger.Record       // the ledger's record of it; nil: there is none

	read     bool // it has cells that can be mapped
	from, to int  // its cells in the batch
}

// rowBatch is rows that were read together.
type rowBatch struct {
	rows  []Row
	cells []converter.Cell
	bytes int           // of the cells' texts
	err   error         // what ended the reading, after these rows
	done  chan struct{} // gets a value when a worker has been through
}

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

	taken map[int64]bool // records that a row of the file has

	brief  bool // nothing was ever loaded
	seeds  [2]maphash.Seed
	keys   keySet
	looked int // rows looked for in the ledger
	idents atomic.Pointer[map[uint64]struct{}]
	known  []ledger.Record
	warned []*mapping.Seen // of each worker's runners
	seen   Seen
}

// Run calls each for every row, in order; it is valid during the call.
func (c *Check) Run(ctx context.Context, each func(*Row) error) (Seen, error) {
	c.brief = c.Store == nil || c.Scope == 0
	c.seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	err := c.run(ctx, each)
	return c.seen, err
}

func (c *Check) run(ctx context.Context, each func(*Row) error) error {
	lean := false
	inner, stop := context.WithCancel(ctx)
	workers := min(max(runtime.GOMAXPROCS(0), 1), 8)
	var (
		wg    sync.WaitGroup
		most  = 2*workers + 1
		free  = make(chan *rowBatch, most)
		work  = make(chan *rowBatch, most)
		queue = make(chan *rowBatch, most) // the same batches in the order of the file
	)
	for range most {
		free <- &rowBatch{done: make(chan struct{}, 1)}
	}
	defer wg.Wait() // the file is the caller's again
	defer stop()
	wg.Go(func() {
		defer close(queue)
		defer close(work)
		c.read(inner, free, work, queue)
	})
	for range workers {
		w := c.worker()
		wg.Go(func() {
			for b := range work {
				if inner.Err() == nil {
					w.examine(b)
				}
				b.done <- struct{}{}
			}
		})
	}
	for b := range queue {
		<-b.done
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := c.decide(ctx, b.rows, b.cells); err != nil {
			return err
		}
		if !lean && c.keys.n >= manyKeys {
			lean = true
			defer debug.SetGCPercent(debug.SetGCPercent(25))
		}
		for i := range b.rows {
			row := &b.rows[i]
			c.seen.Rows++
			if c.Cells && row.to > row.from {
				row.Cells = b.cells[row.from:row.to]
			}
			if c.Sampler != nil && row.read {
				c.Sampler.Take(b.cells[row.from:row.to])
			}
			if err := each(row); err != nil {
				return err
			}
		}
		if b.err != nil {
			return b.err
		}
		free <- b
	}
	return context.Cause(ctx)
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

// full reports whether the batch is to be handed on.
func (b *rowBatch) full() bool {
	return len(b.rows) == checkBatch || len(b.cells) >= batchCells || b.bytes >= batchBytes
}

// read fills batches with the file's rows.
func (c *Check) read(ctx context.Context, free <-chan *rowBatch, work, queue chan<- *rowBatch) {
	take := func() *rowBatch {
		select {
		case b := <-free:
			b.rows, b.cells, b.bytes, b.err = b.rows[:0], b.cells[:0], 0, nil
			return b
		case <-ctx.Done():
			return nil
		}
	}
	hand := func(b *rowBatch) {
		work <- b // never blocks: there is room for every batch
		queue <- b
	}
	b := take()
	if b == nil {
		return
	}
	for row, err := range c.File.RowsKept() {
		if err != nil {
			b.err = err
			break
		}
		c.add(b, row)
		if b.full() {
			hand(b)
			if b = take(); b == nil {
				return
			}
		}
	}
	hand(b)
}

// add puts one row into a batch; its texts stay where the reader has them.
func (c *Check) add(b *rowBatch, row *source.Row) {
	if n := len(b.rows); n < cap(b.rows) {
		b.rows = b.rows[:n+1]
		b.rows[n] = Row{}
	} else {
		b.rows = append(b.rows, Row{})
	}
	r := &b.rows[len(b.rows)-1]
	r.Number, r.Line, r.Origin = row.Number, row.Line, row.Origin
	if row.Hidden {
		c.seen.Hidden++
	}
	chosen := c.Rows.Has(row.Number)
	if chosen {
		c.seen.Chosen++
	}
	if c.Prints {
		r.Fingerprint = row.Fingerprint()
	}
	if c.Cells && (!chosen || len(row.Faults) > 0) {
		r.from = len(b.cells)
		b.cells = append(b.cells, row.Kept()...)
		r.to = len(b.cells)
	}
	switch {
	case !chosen:
		r.Verdict, r.Code, r.Msg = ledger.Skipped, "row.not-chosen", "not among the rows named by --rows"
		return
	case len(row.Faults) > 0:
		r.Faults = slices.Clone(row.Faults)
		unusable(&r.Entry, r.Faults)
		return
	}
	r.read, r.from = true, len(b.cells)
	b.cells = append(b.cells, row.Cells...)
	r.to = len(b.cells)
	for i := range row.Cells {
		b.bytes += len(row.Cells[i].Text)
	}
}

// examine maps the rows of a batch.
func (w *checkWorker) examine(b *rowBatch) {
	c := w.Check
	// Where most rows are known, a first look at each would be one too many.
	both := w.judge != nil && w.full != nil
	twice := both && w.known <= len(b.rows)/2
	w.known = 0
	for i := range b.rows {
		row := &b.rows[i]
		if !row.read {
			continue
		}
		cells := b.cells[row.from:row.to]
		e := &row.Entry
		ex := w.full
		if ex == nil || twice {
			ex = w.judge
		}
		ex.examine(e, cells)
		if e.Verdict == 0 && both {
			if twice {
				e.Identity = ex.keyed()
			}
			if e.Fresh = !c.mayKnow(e); !e.Fresh {
				if w.known++; twice {
					ex = w.full
					ex.again = true
					ex.examine(e, cells)
					ex.again = false
				}
			}
		}
		if e.Verdict == ledger.Invalid {
			row.Problems = slices.Clone(ex.Record.Problems)
			continue
		}
		if c.brief && e.HasKey {
			e.Identity = c.hash(ex.Record.Key)
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
	c.keys.warm(rows)
	var asked []int
	var idents []ledger.Ident
	earlier := make([]int, len(rows))
	for i := range rows {
		e := &rows[i].Entry
		if e.Verdict != 0 {
			continue
		}
		occurrence := 1
		switch {
		case e.HasKey:
			if first := c.keys.add(e.Identity, e.Number); first != e.Number {
				earlier[i] = first
			}
		case !c.brief:
			occurrence = c.keys.count(e.Identity)
		}
		if !c.brief && !e.Fresh && earlier[i] == 0 {
			e.Ident = e.IdentOf(occurrence)
			asked, idents = append(asked, i), append(idents, e.Ident)
		}
	}
	if len(asked) > 0 {
		for i := range asked {
			rows[asked[i]].Earlier = c.Earlier.of(cells[rows[asked[i]].from:rows[asked[i]].to])
		}
		if c.looked += len(asked); c.looked >= identsAfter && c.looked-len(asked) < identsAfter {
			if err := c.learn(ctx); err != nil {
				return err
			}
		}
		c.known = slices.Grow(c.known[:0], len(asked))[:len(asked)]
		if err := c.Store.Known(ctx, c.Scope, idents, c.known); err != nil {
			return err
		}
	}
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
		name := ""
		var was ledger.Record
		if known == nil && earlier[i] == 0 && e.Earlier != nil {
			var err error
			if name, err = ledger.Recognise(ctx, c.Store, c.Scope, e, func(record int64) bool { return c.taken[record] }, &was); err != nil {
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

// learn reads which records the ledger has, so that mayKnow can tell.
func (c *Check) learn(ctx context.Context) error {
	set, err := c.Store.Idents(ctx, c.Scope, identsMost)
	if err == nil && set != nil {
		c.idents.Store(&set)
	}
	return err
}

// mayKnow reports whether the ledger may have a record of a row with a key. A
// row that it does not know needs no digest. Any goroutine may ask.
func (c *Check) mayKnow(e *ledger.Entry) bool {
	set := c.idents.Load()
	if set == nil || !e.HasKey {
		return true
	}
	ident := e.IdentOf(1)
	_, ok := (*set)[binary.LittleEndian.Uint64(ident[:8])]
	return ok
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
func (c *Check) Warnings() []string {
	for _, s := range c.warned[1:] {
		c.warned[0].Join(s)
	}
	return c.warned[0].Warnings()
}
