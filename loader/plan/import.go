package plan

import (
	"context"

	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/mapping"
)

// Batch is how many rows the first pass of an import writes in one
// transaction. The first batches are smaller, so that writing begins while
// reading has just begun.
const Batch, firstBatch = 512, 64

// Import takes a file through the first pass of an import: every row is mapped
// and checked, and what is to be done with it is written into the run.
type Import struct {
	File    *source.File
	Mapping *mapping.Mapping
	Program *mapping.Program
	Rows    RowSet
	Planner *ledger.Planner
	Earlier *Earlier // mappings of earlier runs; nil: there are none
	// OnRow is told the number of rows seen so far; it may be nil.
	OnRow func(n int64)

	warned *mapping.Seen
}

// Run goes through the file. Reading and mapping go on while the ledger writes
// the batch before. What it has seen is told also beside an error.
func (p *Import) Run(ctx context.Context) (Seen, error) {
	var seen Seen
	// Two batches take turns: one is filled while the other is written.
	free := make(chan []ledger.Entry, 2)
	free <- make([]ledger.Entry, 0, Batch)
	free <- make([]ledger.Entry, 0, Batch)
	full := make(chan []ledger.Entry)
	written := make(chan error, 1)
	go func() {
		var first error
		for batch := range full {
			if first == nil {
				first = p.Planner.Plan(ctx, batch)
			}
			free <- batch
		}
		written <- first
	}()
	batch, size := <-free, firstBatch
	hand := func() {
		full <- batch
		batch, size = (<-free)[:0], min(2*size, Batch)
	}
	ex := NewExaminer(p.Mapping, p.Program.Runner())
	p.warned = ex.runner.Seen()
	var readErr error
	for row, err := range p.File.Rows() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			readErr = err
			break
		}
		if p.Planner.Store.Broken() != nil {
			break // said by Plan
		}
		seen.Rows++
		if p.OnRow != nil {
			p.OnRow(seen.Rows)
		}
		if row.Hidden {
			seen.Hidden++
		}
		var e ledger.Entry
		if p.Rows.Has(row.Number) {
			seen.Chosen++
			e = ex.Entry(row)
			if p.Earlier != nil && e.Verdict == 0 {
				e.Earlier = p.Earlier.of(row.Clone().Cells)
			}
		} else {
			e = bareEntry(row)
			e.Verdict, e.Code, e.Msg, e.Hint = ledger.Skipped, "row.not-chosen", "not among the rows named by --rows", "leave --rows out to load it"
		}
		if batch = append(batch, e); len(batch) == size {
			hand()
		}
	}
	if len(batch) > 0 {
		full <- batch
	}
	close(full)
	if err := <-written; err != nil {
		return seen, err
	}
	return seen, readErr
}

// Warnings returns what the mapping has to say of the rows once all are seen.
func (p *Import) Warnings() []string { return p.warned.Warnings() }
