package reports

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
)

// TestJoin pairs a run's rows with a file that is not what it was.
func TestJoin(t *testing.T) {
	then := [][]converter.Cell{texts("a", "1"), texts("b", "2"), texts("c", "3"), texts("d", "4")}
	var rows []ledger.Row
	for i, c := range then {
		rows = append(rows, ledger.Row{Number: i + 2, Origin: i + 2, Result: ledger.ResultLoaded, Fingerprint: print(c)})
	}
	at := func(number int, cells ...string) source.Row {
		return source.Row{Number: number, Cells: texts(cells...)}
	}
	damaged := errors.New("deals.csv row 4: a quote is never closed")
	for _, c := range []struct {
		name string
		now  []source.Row
		fail error
		want string // the first cell of each line, a dash where the input's columns are empty
		note string
	}{
		{"the same file", []source.Row{at(2, "a", "1"), at(3, "b", "2"), at(4, "c", "3"), at(5, "d", "4")}, nil, "a b c d", ""},
		{"one row edited", []source.Row{at(2, "a", "1"), at(3, "B", "2"), at(4, "c", "3"), at(5, "d", "4")}, nil, "a - c d", "1 row of the input file is not what it was"},
		{"a row inserted moves the rest", []source.Row{at(2, "a", "1"), at(3, "new", "0"), at(4, "b", "2"), at(5, "c", "3"), at(6, "d", "4")}, nil, "a - - -", "3 rows of the input file are not what they were"},
		{"a row deleted moves the rest", []source.Row{at(2, "a", "1"), at(3, "c", "3"), at(4, "d", "4")}, nil, "a - - -", "1 row is no longer in the input file"},
		{"a row became blank", []source.Row{at(2, "a", "1"), at(4, "c", "3"), at(5, "d", "4")}, nil, "a - c d", "1 row is no longer in the input file"},
		{"rows added behind", []source.Row{at(2, "a", "1"), at(3, "b", "2"), at(4, "c", "3"), at(5, "d", "4"), at(6, "e", "5"), at(7, "f", "6")}, nil, "a b c d", "2 rows of the input file were not part of this run"},
		{"a blank row filled in before", []source.Row{at(1, "x", "0"), at(2, "a", "1"), at(3, "b", "2"), at(4, "c", "3"), at(5, "d", "4")}, nil, "a b c d", "1 row of the input file was not part of this run"},
		{"nothing left", nil, nil, "- - - -", "4 rows are no longer in the input file"},
		{"damaged on the way", []source.Row{at(2, "a", "1"), at(3, "b", "2")}, damaged, "a b - -", "could not be read to its end: deals.csv row 4: a quote is never closed. 2 rows have no columns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := fakeInput{header: []string{"Name", "No"}, n: len(c.now), row: func(i int) source.Row { return c.now[i] }, fail: c.fail}
			path := save(t, jobOf(ledgerOf(rows...), in))
			var got []string
			for _, r := range rowsOf(t, path, "All rows")[1:] {
				if len(r) > before && r[before] != "" {
					got = append(got, r[before])
				} else {
					got = append(got, "-")
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("lines %s, want %s", s, c.want)
			}
			summary := fmt.Sprint(rowsOf(t, path, "Summary"))
			if !strings.Contains(summary, c.note) {
				t.Errorf("the Summary does not say %q", c.note)
			}
			if c.note == "" && strings.Contains(summary, "input file") {
				t.Errorf("the Summary has remarks on a file that did not change")
			}
		})
	}
}

func TestWithoutTheInput(t *testing.T) {
	j := every()
	j.input = nil
	path := save(t, j)
	if rows := rowsOf(t, path, "All rows"); len(rows) != 13 || len(rows[0]) != numColumns {
		t.Errorf("%d rows of %d columns", len(rows), len(rows[0]))
	}
	if s := fmt.Sprint(rowsOf(t, path, "Summary")); !strings.Contains(s, "The input file was not there when this was written") {
		t.Error("the Summary does not say that the input's columns are missing")
	}
}

// TestConservation: a line too few, a line too many and a fault of the ledger
// leave no file.
func TestConservation(t *testing.T) {
	broken := &ledger.Error{Code: "ledger.corrupt", Place: ledger.At("l.db"), Msg: "the file is damaged"}
	for _, c := range []struct {
		name string
		rows int64
		fail error
		want string
	}{
		{"a line too few", 13, nil, "the run counted 13 rows but the ledger gave 12 lines"},
		{"a line too many", 11, nil, "the run counted 11 rows but the ledger gave 12 lines"},
		{"the ledger breaks", 12, broken, "ledger l.db: the file is damaged"},
	} {
		for _, ext := range []string{".xlsx", ".csv"} {
			t.Run(c.name+ext, func(t *testing.T) {
				j := every()
				j.Totals = ledger.Counts{ledger.ResultLoaded: c.rows}
				l := j.rows.(fakeLedger)
				l.fail = c.fail
				j.rows = l
				dir := t.TempDir()
				name, err := j.write(context.Background(), filepath.Join(dir, "r"+ext))
				if err == nil || !strings.Contains(err.Error(), c.want) || name != "" {
					t.Errorf("%q, %v; want %q", name, err, c.want)
				}
				var own *Error
				if c.fail == nil && (!errors.As(err, &own) || own.Code != "results.rows" || own.Hint == "") {
					t.Errorf("%#v", err)
				}
				empty(t, dir)
			})
		}
	}
}

// empty fails unless a folder is.
func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s was left behind", e.Name())
	}
}

// TestManyLines crosses the batches between the two goroutines.
func TestManyLines(t *testing.T) {
	l, in := deals(3*batchLines + 17)
	j := jobOf(l, in)
	n := 0
	var sum tally
	err := j.each(context.Background(), &sum, func(lines []line) error {
		for _, x := range lines {
			want := deal(n)
			if x.row.Number != n+2 || len(x.cells) != len(want) || x.cells[0].Text != want[0].Text || x.cells[9].Text != want[9].Text {
				t.Fatalf("line %d is row %d with %v", n, x.row.Number, x.cells)
			}
			n++
		}
		return nil
	})
	if err != nil || n != l.n || sum.totals != j.Totals {
		t.Errorf("%d lines, %v, %+v", n, err, sum.totals)
	}
}

func TestStopsEarly(t *testing.T) {
	l, in := deals(20 * batchLines)
	j := jobOf(l, in)
	stop := errors.New("stop")
	var sum tally
	if err := j.each(context.Background(), &sum, func([]line) error { return stop }); err != stop {
		t.Errorf("%v, want the writer's error", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var sum2 tally
	if err := j.each(ctx, &sum2, func([]line) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
	dir := t.TempDir()
	if _, err := j.write(ctx, filepath.Join(dir, "r.xlsx")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
	empty(t, dir)
}

// TestWideLinesTravelInSmallBatches says that the lines that travel together have no more
// cells in all where each has very many, and that each arrives.
func TestWideLinesTravelInSmallBatches(t *testing.T) {
	const columns, n = 3000, 60
	header := make([]string, columns)
	for i := range header {
		header[i] = fmt.Sprint("C", i)
	}
	wide := func(i int) []converter.Cell {
		cells := make([]converter.Cell, columns)
		cells[0] = converter.Cell{Kind: converter.TextCell, Text: fmt.Sprint(i)}
		return cells
	}
	var rows []ledger.Row
	for i := range n {
		rows = append(rows, ledger.Row{Number: i + 2, Origin: i + 2, Result: ledger.ResultLoaded, Fingerprint: print(wide(i))})
	}
	j := jobOf(ledgerOf(rows...), fakeInput{header: header, n: n, row: func(i int) source.Row { return source.Row{Number: i + 2, Cells: wide(i)} }})
	next := 0
	err := j.each(t.Context(), &tally{}, func(lines []line) error {
		cells := 0
		for _, l := range lines {
			if cells += len(l.cells); l.cells[0].Text != fmt.Sprint(next) {
				t.Errorf("line %d is that of row %s", next, l.cells[0].Text)
			}
			next++
		}
		if most := batchCells + columns; cells >= most {
			t.Errorf("%d cells travel together, want fewer than %d", cells, most)
		}
		return nil
	})
	if err != nil || next != n {
		t.Errorf("%d of %d lines, %v", next, n, err)
	}
}
