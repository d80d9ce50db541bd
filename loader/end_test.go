package loader

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadload/internal/fault"
	"leadload/internal/sandbox"
	"leadload/loader/ledger"
)

func TestEndOf(t *testing.T) {
	for _, c := range []struct {
		name         string
		err          error
		rows         ledger.Counts
		want, settle fault.Trait
	}{
		{"all loaded", nil, ledger.Counts{ledger.ResultLoaded: 2, ledger.ResultSkipped: 1}, fault.Done, fault.Done},
		{"pending", nil, ledger.Counts{ledger.ResultLoaded: 2, ledger.ResultPending: 1}, fault.Stopped, fault.Stopped},
		{"invalid, pending", nil, ledger.Counts{ledger.ResultInvalid: 1, ledger.ResultPending: 1}, fault.Person, fault.Person},
		{"not sent, rejected", nil, ledger.Counts{ledger.ResultNotSent: 1, ledger.ResultRejected: 1}, fault.Stopped, fault.Person},
		{"an error says more", fault.New("account.busy", "", "x"), ledger.Counts{ledger.ResultInvalid: 1}, fault.Busy, fault.Busy},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := endOf(c.err, c.rows); got != c.want {
				t.Errorf("an import ends as %d, want %d", got, c.want)
			}
			if got := settledEnd(c.err, c.rows); got != c.settle {
				t.Errorf("settling ends as %d, want %d", got, c.settle)
			}
		})
	}
}

// A program that uses the package gets runs that are ended.
func TestImportEndsItsRun(t *testing.T) {
	declined := errors.New("no")
	for _, c := range []struct {
		name string
		rows []string
		err  error
		end  fault.Trait
		stop string
	}{
		{"all loaded", []string{"D1,a@example.com,A"}, nil, fault.Done, ""},
		{"a row is invalid", []string{"D1,nobody,A"}, nil, fault.Person, ""},
		{"stopped by an error", []string{"D1,a@example.com,A"}, declined, fault.Bug, "no"},
		{"no row at all", nil, nil, fault.Usage, "holds a header but no rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, sandbox.Options{})
				defer b.close()
				b.confirm = func(Plan) error { return c.err }
				res, err := b.load(t.Context(), b.deals(c.rows...))
				if res.End != c.end {
					t.Errorf("ends as %d with %v, want %d", res.End, err, c.end)
				}
				runs, err := b.led.Runs(t.Context(), ledger.RunQuery{ID: res.Run.ID})
				check(t, err)
				run := runs[0]
				if run.Ended.IsZero() {
					t.Error("the ledger takes the run for cut off")
				}
				if run.Exit != c.end.Exit() {
					t.Errorf("the ledger has exit code %d, want %d", run.Exit, c.end.Exit())
				}
				if (run.Stop == "") != (c.stop == "") || !strings.Contains(run.Stop, c.stop) {
					t.Errorf("the ledger says %q, want %q", run.Stop, c.stop)
				}
			})
		})
	}
}

// TestCutOffRunIsCounted says that a run that was cut off keeps what it did when
// the next run goes on with its rows.
func TestCutOffRunIsCounted(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		res, err := b.load(t.Context(), b.deals("D0,own0@example.com,Deal 0", "D1,,no lead", "D2,own2@example.com,Deal 2"))
		check(t, err)
		first := res.Run
		first.Ended, first.Did = time.Time{}, ledger.Counts{} // as a kill leaves it
		check(t, b.led.End(t.Context(), first))
		_, err = b.load(t.Context(), b.many(3))
		check(t, err)
		runs, err := b.led.Runs(t.Context(), ledger.RunQuery{ID: first.ID})
		check(t, err)
		if got := runs[0]; !got.Ended.IsZero() || got.Did[ledger.ResultLoaded] != 2 || got.Did[ledger.ResultInvalid] != 1 {
			t.Errorf("run %d did %s", got.ID, got.Did)
		}
	})
}
