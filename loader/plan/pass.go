package plan

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/mapping"
)

// A batch of a pass goes from the reader to a worker at once when it has so many rows:
// few enough for its cells to stay in a core's cache, and enough for the
// hand-over to cost nothing. Wide rows and long texts fill it sooner, so that
// memory does not grow with them.
const (
	Batch      = 512 // rows
	batchCells = 32 << 10
	batchBytes = 1 << 20 // of the cells' texts
)

// Row is one row on its way through a pass.
type Row struct {
	ledger.Entry
	Faults   []*source.Error      // of the file
	Problems []mapping.RowProblem // of the mapping or the account
	Body     []byte               // only where Check.Bodies asks for it
	Lead     [16]byte             // names the lead that has to be looked up
	Values   []mapping.Field      // of the body, where Check.Values asks for them and the ledger may know the row
	Cells    []converter.Cell     // of the file, where Check.Cells asks for them; their texts stay valid
	Known    *ledger.Record       // the ledger's record of it; nil: there is none

	name     [16]byte              // of its key within this pass, or of its body
	names    map[[16]byte][16]byte // of its key in several spellings, by the identities of these; nil: it has one
	marked   bool                  // its record has its Source, so that it has not changed
	read     bool                  // it has cells that can be mapped
	keyed    bool                  // it has faults, and cells with its key
	from, to int                   // its cells in the batch
}

// rowBatch is rows that were read together.
type rowBatch struct {
	rows  []Row
	cells []converter.Cell
	bytes int           // of the cells' texts
	seen  Seen          // of these rows
	err   error         // what ended the reading, after these rows
	done  chan struct{} // gets a value when a worker has been through
}

// of returns the cells of one of the batch's rows.
func (b *rowBatch) of(r *Row) []converter.Cell { return b.cells[r.from:r.to] }

// full reports whether the batch of so many rows is to be handed on.
func (b *rowBatch) full(rows int) bool {
	return len(b.rows) >= rows || len(b.cells) >= batchCells || b.bytes >= batchBytes
}

// pass goes through a file once: one goroutine reads, several examine, and the
// caller gets the batches in the order of the file.
type pass struct {
	file   *source.File
	rows   RowSet
	first  int      // rows of the first batch; each later one has twice as many
	most   int      // and at most so many: Batch, or more
	prints bool     // rows get their Fingerprint
	cells  bool     // rows that are not examined keep their cells, too
	key    []string // the columns of the key
}

// run calls worker once for each goroutine that examines batches, and each for
// every batch. A batch is valid during the call. The Seen holds the batches that
// each has had, also beside an error.
func (p *pass) run(ctx context.Context, worker func() func(*rowBatch), each func(*rowBatch) error) (seen Seen, err error) {
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
		p.read(inner, free, work, queue)
	})
	for range workers {
		examine := worker()
		wg.Go(func() {
			for b := range work {
				if inner.Err() == nil {
					examine(b)
				}
				b.done <- struct{}{}
			}
		})
	}
	for b := range queue {
		<-b.done
		if err := context.Cause(ctx); err != nil {
			return seen, err
		}
		seen.Rows += b.seen.Rows
		seen.Chosen += b.seen.Chosen
		seen.Hidden += b.seen.Hidden
		if err := each(b); err != nil {
			return seen, err
		}
		if b.err != nil {
			return seen, b.err
		}
		free <- b
	}
	return seen, context.Cause(ctx)
}

// read fills batches with the file's rows.
func (p *pass) read(ctx context.Context, free <-chan *rowBatch, work, queue chan<- *rowBatch) {
	take := func() *rowBatch {
		select {
		case b := <-free:
			b.rows, b.cells, b.bytes, b.seen, b.err = b.rows[:0], b.cells[:0], 0, Seen{}, nil
			return b
		case <-ctx.Done():
			return nil
		}
	}
	hand := func(b *rowBatch) {
		work <- b // never blocks: there is room for every batch
		queue <- b
	}
	b, size := take(), p.first
	if b == nil {
		return
	}
	for row, err := range p.file.RowsKept() {
		if err != nil {
			b.err = err
			break
		}
		p.add(b, row)
		if b.full(size) {
			hand(b)
			size = min(2*size, p.most)
			if b = take(); b == nil {
				return
			}
		}
	}
	hand(b)
}

// add puts one row into a batch; its texts stay where the reader has them.
func (p *pass) add(b *rowBatch, row *source.Row) {
	if n := len(b.rows); n < cap(b.rows) {
		b.rows = b.rows[:n+1]
		b.rows[n] = Row{}
	} else {
		b.rows = append(b.rows, Row{})
	}
	r := &b.rows[len(b.rows)-1]
	r.Number, r.Line, r.Origin = row.Number, row.Line, row.Origin
	b.seen.Rows++
	if row.Hidden {
		b.seen.Hidden++
	}
	chosen := p.rows.Has(row.Number)
	if chosen {
		b.seen.Chosen++
	}
	if p.prints {
		r.Fingerprint = row.Fingerprint()
	}
	keyed := chosen && len(row.Faults) > 0 && keyStands(p.key, row.Faults)
	if keyed || p.cells && (!chosen || len(row.Faults) > 0) {
		r.from = len(b.cells)
		b.cells = append(b.cells, row.Kept()...)
		r.to = len(b.cells)
	}
	switch {
	case !chosen:
		r.Verdict, r.Code, r.Msg, r.Hint = ledger.Skipped, "row.not-chosen", "not among the rows named by --rows", "leave --rows out to load it"
		return
	case len(row.Faults) > 0:
		r.Faults, r.keyed = slices.Clone(row.Faults), keyed
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

// warnings returns what the mapping has to say of the rows that several runners
// have mapped.
func warnings(of []*mapping.Seen) []string {
	for _, s := range of[1:] {
		of[0].Join(s)
	}
	return of[0].Warnings()
}
