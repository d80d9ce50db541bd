package loader

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/maphash"
	"runtime"
	"slices"
	"sync"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/mapping"
)

// checkBatch is how many rows go from the reader to a worker at once: small
// enough for its cells to stay in a core's cache, large enough for the
// hand-over to cost nothing.
const checkBatch = 512

// checkRow is one row on its way through a check.
type checkRow struct {
	entry    ledger.Entry
	faults   []*source.Error      // of the file
	problems []mapping.RowProblem // of the mapping or the account
	body     []byte               // only where somebody wants to see it
	lead     [16]byte             // names the lead that has to be looked up
	read     bool                 // it has cells that can be mapped
	from, to int                  // its cells in the batch
}

// rowBatch is rows that were read together.
type rowBatch struct {
	rows  []checkRow
	cells []converter.Cell
	err   error         // what ended the reading, after these rows
	done  chan struct{} // gets a value when a worker has been through
}

// checkPipe takes a file through reading, mapping and deciding: one goroutine
// reads, several map, and the caller sees the rows in the order of the file.
type checkPipe struct {
	job     *CheckJob
	program *mapping.Program
	preview *ledger.Preview
	brief   bool // nothing was ever loaded
	seeds   [2]maphash.Seed
	keys    keySet
	samples *mapping.Sampler
	seen    []*mapping.Seen // of each worker's runners
	hidden  int64           // rows that a spreadsheet does not show
	chosen  int64           // rows named by --rows, or all
}

func newCheckPipe(j *CheckJob, p *mapping.Program, preview *ledger.Preview) *checkPipe {
	return &checkPipe{job: j, program: p, preview: preview, brief: preview.Empty(), seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, samples: p.Sampler()}
}

// run calls each for every row, in order, with its cells as long as they can
// be mapped; both are valid during the call.
func (c *checkPipe) run(ctx context.Context, each func(*checkRow, []converter.Cell) error) error {
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
		c.keys.warm(b.rows)
		for i := range b.rows {
			row := &b.rows[i]
			var cells []converter.Cell
			if row.read {
				cells = b.cells[row.from:row.to]
			}
			if err := each(row, cells); err != nil {
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
	*checkPipe
	// judge makes no bodies, full does; either may be nil. With both, full
	// takes the rows that the ledger may know.
	judge, full *examiner
	known       int // rows of the last batch that the ledger may know
}

// worker does no more with a row than somebody looks at.
func (c *checkPipe) worker() *checkWorker {
	w := &checkWorker{checkPipe: c}
	if c.job.Online == nil && c.job.OnBody == nil && (c.brief || len(c.job.Mapping.Key) > 0) {
		w.judge = newExaminer(c.job.Mapping, c.program.Judge())
		w.judge.brief = true
	}
	if !c.brief || w.judge == nil {
		w.full = newExaminer(c.job.Mapping, c.program.Runner())
		w.full.brief, w.full.online = c.brief, c.job.Online.Fork()
	}
	for _, ex := range [...]*examiner{w.judge, w.full} {
		if ex != nil {
			c.seen = append(c.seen, ex.runner.Seen())
		}
	}
	return w
}

// read fills batches with the file's rows.
func (c *checkPipe) read(ctx context.Context, free <-chan *rowBatch, work, queue chan<- *rowBatch) {
	take := func() *rowBatch {
		select {
		case b := <-free:
			b.rows, b.cells, b.err = b.rows[:0], b.cells[:0], nil
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
	for row, err := range c.job.File.RowsKept() {
		if err != nil {
			b.err = err
			break
		}
		c.add(b, row)
		if len(b.rows) == checkBatch {
			hand(b)
			if b = take(); b == nil {
				return
			}
		}
	}
	hand(b)
}

// add puts one row into a batch; its texts stay where the reader has them.
func (c *checkPipe) add(b *rowBatch, row *source.Row) {
	if n := len(b.rows); n < cap(b.rows) {
		b.rows = b.rows[:n+1]
		b.rows[n] = checkRow{}
	} else {
		b.rows = append(b.rows, checkRow{})
	}
	r := &b.rows[len(b.rows)-1]
	r.entry.Number, r.entry.Line, r.entry.Origin = row.Number, row.Line, row.Origin
	if row.Hidden {
		c.hidden++
	}
	if c.job.Rows.Has(row.Number) {
		c.chosen++
	}
	if c.job.Scratch != nil {
		r.entry.Fingerprint = row.Fingerprint()
	}
	switch {
	case !c.job.Rows.Has(row.Number):
		r.entry.Verdict, r.entry.Code, r.entry.Msg = ledger.Skipped, "row.not-chosen", "not among the rows named by --rows"
		return
	case len(row.Faults) > 0:
		r.faults = slices.Clone(row.Faults)
		unusable(&r.entry, r.faults)
		return
	}
	r.read, r.from = true, len(b.cells)
	b.cells = append(b.cells, row.Cells...)
	r.to = len(b.cells)
}

// examine maps the rows of a batch.
func (w *checkWorker) examine(b *rowBatch) {
	c := w.checkPipe
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
		e := &row.entry
		ex := w.full
		if ex == nil || twice {
			ex = w.judge
		}
		ex.examine(e, cells)
		if e.Verdict == 0 && both {
			if twice {
				e.Identity = ledger.HashIdentity(ex.rec.Key)
			}
			if e.Fresh = !c.preview.Known(e); !e.Fresh {
				if w.known++; twice {
					ex = w.full
					ex.again = true
					ex.examine(e, cells)
					ex.again = false
				}
			}
		}
		if e.Verdict == ledger.Invalid {
			row.problems = slices.Clone(ex.rec.Problems)
			continue
		}
		if c.brief && e.HasKey {
			e.Identity = c.hash(ex.rec.Key)
		}
		if e.WantField != "" {
			row.lead = c.hash(e.WantValue)
		}
		if c.job.OnBody != nil {
			row.body = bytes.Clone(ex.rec.Body)
		}
	}
}

// decide says what to do with a row of an account into which nothing was
// loaded yet: only an earlier row of the file can be in its way.
func (c *checkPipe) decide(e *ledger.Entry) {
	if e.Verdict != 0 {
		return
	}
	e.Verdict, e.State = ledger.Due, ledger.Ready
	if !e.HasKey {
		return
	}
	if first := c.keys.add(e.Identity, e.Number); first != e.Number {
		e.State = 0
		e.RepeatOf(first)
	}
}

// keySet remembers in which row each key came first. It is an open-addressing
// table, since every row of a file goes through it and a miss of the cache is
// what it costs; the hashes are as good as random already.
type keySet struct {
	slots []keySlot // a power of two
	n     int
	seen  uint32 // of no meaning; it makes warm's reading count as work
}

// keySlot holds 96 bits of a key's hash, which tell a thousand million keys apart.
type keySlot struct {
	a   uint64
	b   uint32
	row uint32 // 0: empty
}

// add gives the row in which the key came first, which is row itself when it is new.
func (s *keySet) add(h [16]byte, row int) int {
	if 4*(s.n+1) > 3*len(s.slots) {
		old := s.slots
		s.slots = make([]keySlot, max(2*len(old), 1<<10))
		for _, k := range old {
			if k.row != 0 {
				*s.find(k.a, k.b) = k
			}
		}
	}
	a, b := binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint32(h[8:])
	k := s.find(a, b)
	if k.row == 0 {
		*k = keySlot{a, b, uint32(row)}
		s.n++
	}
	return int(k.row)
}

// warm touches the slots where the keys of rows belong. Done for many rows
// at once, the misses of the cache overlap; add would wait for one after another.
func (s *keySet) warm(rows []checkRow) {
	if len(s.slots) == 0 {
		return
	}
	mask := uint64(len(s.slots) - 1)
	for i := range rows {
		s.seen += s.slots[binary.LittleEndian.Uint64(rows[i].entry.Identity[:8])&mask].row
	}
}

// find gives a key's slot, or the empty one where it belongs.
func (s *keySet) find(a uint64, b uint32) *keySlot {
	mask := uint64(len(s.slots) - 1)
	for i := a & mask; ; i = (i + 1) & mask {
		if k := &s.slots[i]; k.row == 0 || k.a == a && k.b == b {
			return k
		}
	}
}

// hash is a name for a text that holds within this check.
func (c *checkPipe) hash(s string) (h [16]byte) {
	binary.LittleEndian.PutUint64(h[:8], maphash.String(c.seeds[0], s))
	binary.LittleEndian.PutUint64(h[8:], maphash.String(c.seeds[1], s))
	return h
}

// warnings are what the workers have seen together.
func (c *checkPipe) warnings() []string {
	for _, s := range c.seen[1:] {
		c.seen[0].Join(s)
	}
	return c.seen[0].Warnings()
}
