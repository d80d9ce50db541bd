package reports

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"leadload/converter"
	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/loader/source"
)

// line is one row of a results file.
type line struct {
	row   ledger.Row
	cells []converter.Cell // the input's own, one for each name of its header; nil when they are not known
}

// tally counts what we learn while reading the lines.
type tally struct {
	totals  ledger.Counts // counted from the lines themselves
	lines   int64
	changed int64 // lines whose row in the file is another one now
	missing int64 // lines whose row the file no longer has
	extra   int64 // rows of the file that the run does not know
	broken  error // where the file could not be read on
}

// add counts one line.
func (t *tally) add(r ledger.Result) {
	t.totals.Add(r, 1)
	t.lines++
}

// batchLines is how many lines travel together from the goroutine that reads
// to the one that writes; fewer where they have so many cells that memory would grow
// with them.
const batchLines, batchCells = 256, 32 << 10

// each gives do every line of the run in the file's order, in batches, and
// counts them. Reading and writing go side by side. The lines may be kept.
// Unless every row that the run counted came by, the error says so.
func (j *job) each(ctx context.Context, t *tally, do func([]line) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	batches := make(chan []line, 4)
	done := make(chan error, 1)
	go func() {
		defer close(batches)
		done <- j.read(ctx, t, batches)
	}()
	for b := range batches {
		if err := do(b); err != nil {
			cancel(err)
			for range batches { // until the reader has noticed
			}
			<-done
			return err
		}
		j.done += int64(len(b))
	}
	if err := <-done; err != nil {
		return err
	}
	if want := j.Totals.Sum(); t.lines != want {
		return &Error{Code: "results.rows", Msg: fmt.Sprintf("the run counted %d rows but the ledger gave %d lines", want, t.lines),
			Hint: fmt.Sprintf("no results file was written; run leadload ledger check, then %s", j.again())}
	}
	return nil
}

// again is the command that writes this results file once more.
func (j *job) again() string { return fmt.Sprintf("leadload report %d", j.Run.ID) }

// read joins the run's rows with the input's and sends them in batches.
func (j *job) read(ctx context.Context, t *tally, batches chan<- []line) error {
	in := j.follow(t)
	defer in.stop()
	batch, cells := make([]line, 0, batchLines), 0
	send := func() error {
		select {
		case batches <- batch:
			batch, cells = make([]line, 0, batchLines), 0
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for row, err := range j.rows.Rows(ctx, j.Run.ID) {
		if err != nil {
			return err
		}
		t.add(row.Result)
		l := line{row: row, cells: in.cells(row)}
		batch, cells = append(batch, l), cells+len(l.cells)
		if len(batch) == batchLines || cells >= batchCells {
			if err := send(); err != nil {
				return err
			}
		}
	}
	in.rest()
	if len(batch) > 0 {
		if err := send(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// follower walks through the input beside the ledger's rows. A row is the
// input's when number and fingerprint agree; the position alone proves
// nothing, because the file may have been edited since.
type follower struct {
	t    *tally
	next func() (*source.Row, error, bool)
	stop func()
	row  *source.Row // the next one not yet passed
	size int         // cells a row
}

func (j *job) follow(t *tally) *follower {
	f := &follower{t: t, stop: func() {}}
	if j.input != nil {
		f.size = len(j.input.Header())
		f.next, f.stop = iter.Pull2(j.input.Rows())
		f.step()
	}
	return f
}

// step reads the next row of the input.
func (f *follower) step() {
	f.row = nil
	if f.next == nil {
		return
	}
	row, err, ok := f.next()
	switch {
	case err != nil:
		f.t.broken, f.next = err, nil
	case !ok:
		f.next = nil
	default:
		f.row = row
	}
}

// cells gives a copy of the input's cells for a row of the ledger, or nil.
func (f *follower) cells(r ledger.Row) []converter.Cell {
	if f.size == 0 {
		return nil
	}
	for f.row != nil && f.row.Number < r.Number {
		f.t.extra++
		f.step()
	}
	if f.row == nil || f.row.Number > r.Number {
		f.t.missing++
		return nil
	}
	defer f.step()
	if f.row.Fingerprint() != r.Fingerprint {
		f.t.changed++
		return nil
	}
	return cloneCells(f.row.Kept(), f.size)
}

// rest counts what the file has beyond the run's last row.
func (f *follower) rest() {
	for f.row != nil {
		f.t.extra++
		f.step()
	}
}

// cloneCells copies cells, whose strings belong to the reader, with one
// allocation for all of their texts.
func cloneCells(cells []converter.Cell, size int) []converter.Cell {
	n := 0
	for i := range cells {
		n += len(cells[i].Text)
	}
	var b strings.Builder
	b.Grow(n)
	for i := range cells {
		b.WriteString(cells[i].Text)
	}
	all := b.String()
	out := make([]converter.Cell, max(size, len(cells)))
	for i, c := range cells {
		c.Text, all = all[:len(c.Text)], all[len(c.Text):]
		out[i] = c
	}
	return out[:size]
}

// asError keeps errors that explain themselves and wraps all others.
func (j *job) asError(path string, err error, need int64) error {
	var own *Error // of this package or of the ledger
	switch {
	case errors.As(err, &own):
		if own.File == "" {
			own.Place = resultsFile(path)
		}
		return own
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case diskFull(err):
		hint := "free some space"
		if need > 0 {
			hint = fmt.Sprintf("about %s are needed there while it is written; free some space", megabytes(need))
		}
		return &Error{Code: "results.full", Place: resultsFile(path), Msg: "the disk is full, so the results were not written", Err: fault.Pathless(err),
			Hint: hint + ", then write it again with " + j.again() + "; nothing is lost, the ledger holds every result"}
	}
	return &Error{Code: "results.write", Place: resultsFile(path), Msg: "the results could not be written", Err: fault.Pathless(err),
		Hint: "mend the cause or name another place with --out, then write it again with " + j.again()}
}
