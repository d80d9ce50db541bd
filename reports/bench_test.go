package reports

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
)

// benchDeals are rows of 9 and 9 columns, made without work so that only the
// writing is measured: they repeat after a thousand.
func benchDeals(n int) (fakeLedger, fakeInput) {
	var rows [1000]ledger.Row
	var cells [1000][]converter.Cell
	for i := range rows {
		rows[i], cells[i] = outcome(i), deal(i)[:9]
		rows[i].Fingerprint = print(cells[i])
	}
	return fakeLedger{n: n, row: func(i int) ledger.Row {
			r := rows[i%1000]
			r.Number, r.Origin = i+2, i+2
			return r
		}}, fakeInput{header: dealHeader[:9], n: n, row: func(i int) source.Row {
			return source.Row{Number: i + 2, Origin: i + 2, Cells: cells[i%1000]}
		}}
}

const benchRows = 20_000

func perRow(b *testing.B, rows int) {
	b.ReportMetric(float64(b.N)*float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkWorkbook writes 18 columns with styles, filters and two sheets.
// BenchmarkBareStreamWriter is the measure: the same cells as bare strings on
// one sheet with excelize's own zip. Most of the time here, too, is excelize's
// SetRow; the faster deflate and reading beside writing pay for the rest.
func BenchmarkWorkbook(b *testing.B) {
	l, in := benchDeals(benchRows)
	j := jobOf(l, in)
	b.ReportAllocs()
	for b.Loop() {
		name, err := j.write(context.Background(), filepath.Join(b.TempDir(), "r.xlsx"))
		if err != nil {
			b.Fatal(err)
		}
		os.Remove(name)
	}
	perRow(b, benchRows)
}

func BenchmarkBareStreamWriter(b *testing.B) {
	l, in := benchDeals(benchRows)
	b.ReportAllocs()
	for b.Loop() {
		bareWorkbook(b, filepath.Join(b.TempDir(), "r.xlsx"), l, in)
	}
	perRow(b, benchRows)
}

func bareWorkbook(tb testing.TB, path string, l fakeLedger, in fakeInput) {
	f := excelize.NewFile()
	defer f.Close()
	sw, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		tb.Fatal(err)
	}
	values := make([]any, 18)
	for i := range l.n {
		row := l.row(i)
		r := resultOf(&row)
		cells := in.row(i).Cells
		for k, v := range r.values() {
			if k >= before {
				k += len(cells)
			}
			values[k] = v
		}
		for k, c := range cells {
			values[before+k] = c.Text
		}
		if err := sw.SetRow(fmt.Sprintf("A%d", i+1), values); err != nil {
			tb.Fatal(err)
		}
	}
	if err := sw.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := f.SaveAs(path); err != nil {
		tb.Fatal(err)
	}
}

func BenchmarkCSV(b *testing.B) {
	l, in := benchDeals(benchRows)
	j := jobOf(l, in)
	b.ReportAllocs()
	for b.Loop() {
		if err := j.writeCSV(context.Background(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	perRow(b, benchRows)
}

// BenchmarkDeflate shows what the zip's level costs on a sheet's XML.
func BenchmarkDeflate(b *testing.B) {
	l, in := benchDeals(5 * benchRows)
	dir := b.TempDir()
	name, err := jobOf(l, in).write(context.Background(), filepath.Join(dir, "r.xlsx"))
	if err != nil {
		b.Fatal(err)
	}
	z, err := zip.OpenReader(name)
	if err != nil {
		b.Fatal(err)
	}
	defer z.Close()
	r, err := z.Open("xl/worksheets/sheet3.xml")
	if err != nil {
		b.Fatal(err)
	}
	sheet, err := io.ReadAll(r)
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, write func(*os.File) io.WriteCloser) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(sheet)))
			var size int64
			for b.Loop() {
				f, err := os.CreateTemp(dir, "z")
				if err != nil {
					b.Fatal(err)
				}
				w := write(f)
				if _, err := w.Write(sheet); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
				size, _ = f.Seek(0, io.SeekCurrent)
				f.Close()
			}
			b.ReportMetric(float64(size)/float64(len(sheet)), "packed")
		})
	}
	run("standard", func(f *os.File) io.WriteCloser {
		z := zip.NewWriter(f)
		w, _ := z.Create("s")
		return closer{w, z}
	})
	for name, lines := range map[string]int64{"ours": 0, "ours, bulk": mailLines + 1} {
		run(name, func(f *os.File) io.WriteCloser {
			a := newArchive(context.Background(), f, lines, time.Now())
			w, _ := a.Create("s")
			return closer{w, a}
		})
	}
}

type closer struct {
	io.Writer
	io.Closer
}

// TestLargeWorkbook compares the two at the size named by LEADLOAD_LARGE and
// prints rows a second and memory. It is a measurement, not a test.
func TestLargeWorkbook(t *testing.T) {
	n := 0
	if _, err := fmt.Sscan(os.Getenv("LEADLOAD_LARGE"), &n); err != nil {
		t.Skip("LEADLOAD_LARGE names no number of rows")
	}
	dir := t.TempDir()
	l, in := benchDeals(n)
	j := jobOf(l, in)
	measure := func(name string, do func()) time.Duration {
		var peak uint64
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		}()
		runtime.GC()
		start := time.Now()
		do()
		d := time.Since(start)
		close(stop)
		<-done
		t.Logf("%s: %d rows in %v, %.0f rows/s, heap at most %d MB", name, n, d.Round(time.Millisecond), float64(n)/d.Seconds(), peak>>20)
		return d
	}
	bare := measure("bare StreamWriter", func() { bareWorkbook(t, filepath.Join(dir, "bare.xlsx"), l, in) })
	ours := measure("results workbook", func() {
		if _, err := j.write(context.Background(), filepath.Join(dir, "ours.xlsx")); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("ratio %.2f of the bare writer's speed", bare.Seconds()/ours.Seconds())
}
