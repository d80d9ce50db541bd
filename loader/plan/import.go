package plan

import (
	"context"

	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/mapping"
)

// firstBatch is how many rows the first pass of an import writes in its first
// transaction. The later ones are larger: writing begins while reading has just
// begun.
const firstBatch = 64

// Import takes a file through the first pass of an import: every row is mapped
// and checked, and what is to be done with it is written into the run.
type Import struct {
	File    *source.File
	Mapping *mapping.Mapping
	Program *mapping.Program
	Rows    RowSet
	Planner *ledger.Planner
	Earlier *Earlier // mappings of earlier runs; nil: there are none
	// OnRow is told the number of rows planned so far; it may be nil.
	OnRow func(n int64)

	sources Sources
	warned  []*mapping.Seen // of each worker's runner
}

// Run goes through the file. Reading and mapping go on while the ledger writes
// the batch before. What it has planned is told also beside an error.
func (p *Import) Run(ctx context.Context) (Seen, error) {
	var (
		entries []ledger.Entry
		planned int64
	)
	p.sources = NewSources(p.Mapping, p.File)
	through := pass{file: p.File, rows: p.Rows, first: firstBatch, most: max(Batch, p.Planner.Store.Batch()), prints: true, key: p.Mapping.Key}
	changes := newMoves(p.Mapping, p.Program.Runner())
	var batch *rowBatch
	p.Planner.Decided = func(ctx context.Context, entries []ledger.Entry) error {
		return changes.tell(ctx, p.Planner.Store, batch, func(i int) *ledger.Entry { return &entries[i] })
	}
	return through.run(ctx, p.worker, func(b *rowBatch) error {
		entries, batch = entries[:0], b
		for i := range b.rows {
			row := &b.rows[i]
			if row.read && row.Verdict == 0 {
				row.Earlier = p.Earlier.of(b.of(row))
			}
			entries = append(entries, row.Entry)
		}
		if err := p.Planner.Plan(ctx, entries); err != nil {
			return err
		}
		if planned += int64(len(entries)); p.OnRow != nil {
			p.OnRow(planned)
		}
		return nil
	})
}

// worker returns what examines batches on a goroutine of its own.
func (p *Import) worker() func(*rowBatch) {
	ex := NewExaminer(p.Mapping, p.Program.Runner())
	p.warned = append(p.warned, ex.runner.Seen())
	sources := p.sources
	return func(b *rowBatch) {
		for i := range b.rows {
			switch row := &b.rows[i]; {
			case row.read:
				row.Source = sources.of(row.Fingerprint, b.of(row))
				ex.examine(&row.Entry, b.of(row))
			case row.keyed:
				ex.faulty(&row.Entry, b.of(row))
			}
		}
	}
}

// Warnings returns what the mapping has to say of the rows once all are seen.
func (p *Import) Warnings() []string { return warnings(p.warned) }
