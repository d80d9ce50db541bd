package loader

import (
	"context"

	"leadload/internal/fault"
	"leadload/loader/ledger"
)

// removed is what a file, read whole, no longer has of its earlier runs.
type removed struct {
	roster ledger.Set // records that its runs have had
	gone   ledger.Set // those of them that are in the account, and whose rows it has no more
	still  int64      // those whose rows it has
}

// delta reports whether most of the rows are gone: the file then has what is new, as
// many exports do, and nothing can be said of the others.
func (r *removed) delta() bool { return int64(r.gone.Len()) > r.still }

// whole reports whether a job reads a file whole, so that it can tell what is gone.
func (j *Job) whole() bool {
	return j.Rows == nil && j.InputPath != "" && !j.Dropped && !j.File.Info().Results
}

// removedFrom compares the rows that a file had in earlier runs with those that it
// has. mine reports a run that loaded into the same account.
func removedFrom(ctx context.Context, led ledger.Store, scope int64, j *Job, mine func(*ledger.Run) bool, saw func(record int64) bool) (r removed, err error) {
	f := j.file(scope)
	all, known, err := led.Roster(ctx, f)
	if err == nil && !known {
		all, err = rosterOf(ctx, led, f, string(j.Mapping.Target), mine)
	}
	if err != nil {
		return r, err
	}
	r.roster = all
	var missing ledger.Set
	for record := range all.All() {
		if saw(record) {
			r.still++
		} else {
			missing.Add(record)
		}
	}
	r.gone, err = led.Here(ctx, missing)
	return r, err
}

// file names the job's file as the ledger knows it. Its rows of another set are other
// records, of which this one says nothing.
func (j *Job) file(scope int64) ledger.WholeFile {
	f := ledger.WholeFile{Scope: scope, Path: j.InputPath, Sheet: j.File.Info().Sheet}
	if j.Mapping.Set != "" {
		f.Sheet += "\x1f" + j.Mapping.Set
	}
	return f
}

// rosterOf finds the records of a file in the rows of its earlier runs, for a ledger
// that has kept no roster of it. Runs with other mappings may have loaded the same
// file as something else, such as another opportunity type: those are other records.
func rosterOf(ctx context.Context, led ledger.Store, f ledger.WholeFile, of string, mine func(*ledger.Run) bool) (all ledger.Set, err error) {
	runs, err := led.Runs(ctx, ledger.RunQuery{Newest: 1000})
	if err != nil {
		return nil, err
	}
	for i := range runs {
		run := &runs[i]
		if run.Command != "import" || run.InputPath != f.Path || run.Sheet != f.Sheet || run.Target != of || !mine(run) {
			continue
		}
		for row, err := range led.Rows(ctx, run.ID) {
			if e := fault.Of(err); e != nil && e.Code == "ledger.pruned" {
				break
			}
			if err != nil {
				return nil, err
			}
			if row.Record != 0 && row.Verdict != ledger.Repeated {
				all.Add(row.Record)
			}
		}
	}
	if all.Len() == 0 {
		return nil, nil
	}
	var own ledger.Set
	for r, err := range led.Records(ctx, ledger.RecordQuery{Scope: f.Scope, Path: f.Path}) {
		if err != nil {
			return nil, err
		}
		if all.Has(r.ID) {
			own.Add(r.ID)
		}
	}
	return own, nil
}

// removed tells the plan what is gone from the file, and writes it down.
func (r *run) removed(ctx context.Context, p *Plan) error {
	if !r.job.whole() {
		return nil
	}
	found, err := removedFrom(ctx, r.led, r.scope, &r.job, func(run *ledger.Run) bool { return run.Account == r.acct && run.ID != r.id }, r.planner.Saw)
	if err != nil {
		return err
	}
	p.Removed = found.counts()
	all := r.planner.Records()
	for record := range found.roster.All() {
		all.Add(record)
	}
	if found.delta() {
		found.gone = nil
	}
	return r.led.Enlist(ctx, r.lease, r.id, r.job.file(r.scope), all, found.gone)
}

// Removed counts rows of earlier runs of a file that it no longer has.
type Removed struct {
	Rows     int64 // 0 where most rows are gone
	Left, Of int64 // where most are gone: rows that are not in the file, and rows of its earlier runs
}

// counts returns what is gone in numbers.
func (r *removed) counts() (out Removed) {
	if n := int64(r.gone.Len()); r.delta() {
		out.Left, out.Of = n, n+r.still
	} else {
		out.Rows = n
	}
	return out
}
