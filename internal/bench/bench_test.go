package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/converter"
	"leadload/loader"
	"leadload/loader/source"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct{ name, only, want string }{
		{"nothing said is everything", "", strings.Join(names(), " ")},
		{"the usual order", "memory,startup", "startup memory"},
		{"unknown", "startup,speed", "error"},
		{"an empty name", "startup,", "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chosen, err := choose(c.only)
			var got []string
			for _, m := range chosen {
				got = append(got, m.name)
			}
			if err != nil {
				got = []string{"error"}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%q, want %q", s, c.want)
			}
		})
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"-only", "speed"}, {"-nope"}, {"startup"}} {
		if code := run(context.Background(), args, io.Discard, io.Discard); code != 2 {
			t.Errorf("%q ends with %d, want 2", args, code)
		}
	}
}

func TestTables(t *testing.T) {
	table := []line{
		{name: "check", what: "rows|s", target: "≥ 0.50", measured: "1,000", ratio: 0.514, verdict: judge(true)},
		{name: "memory", what: "peak", measured: "9 MB", verdict: judge(false)},
	}
	var plain, marked bytes.Buffer
	writePlain(&plain, table)
	writeMarkdown(&marked, table)
	for _, want := range []string{"check", "0.51", "met", "MISSED"} {
		if !strings.Contains(plain.String(), want) {
			t.Errorf("the plain table lacks %q:\n%s", want, plain.String())
		}
	}
	const want = "| What | Target | Measured | Ratio | Verdict |\n|---|---|---|--:|---|\n| rows\\|s | ≥ 0.50 | 1,000 | 0.51 | met |\n| peak |  | 9 MB |  | MISSED |\n"
	if marked.String() != want {
		t.Errorf("Markdown:\n%s\nwant:\n%s", marked.String(), want)
	}
	if heads[0] != "Measurement" {
		t.Error("writing Markdown changed the heads")
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
	for _, c := range []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := median(c.of); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.of, got, c.want)
		}
	}
	for _, c := range []struct {
		n, limit int
		want     time.Duration
	}{{1, 25, 0}, {25, 25, 0}, {26, 25, 5 * time.Second}, {1000, 25, 195 * time.Second}, {100, 10, 45 * time.Second}} {
		if got := bound(c.n, c.limit); got != c.want {
			t.Errorf("bound(%d, %d) = %s, want %s", c.n, c.limit, got, c.want)
		}
	}
}

// TestFiles says that what is measured is what it is said to be: every row of
// the CSV would be sent, and our reader and excelize see the same workbook.
func TestFiles(t *testing.T) {
	const n = 300
	dir := t.TempDir()
	mapped, path, book := filepath.Join(dir, "m.yaml"), filepath.Join(dir, "r.csv"), filepath.Join(dir, "r.xlsx")
	if err := os.WriteFile(mapped, []byte(mappingText), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeCSV(path, n); err != nil {
		t.Fatal(err)
	}
	if err := writeXLSX(book, n); err != nil {
		t.Fatal(err)
	}
	m, file, err := open(mapped, path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if len(file.Header()) != columns {
		t.Errorf("%d columns, want %d", len(file.Header()), columns)
	}
	res, err := loader.Check(t.Context(), loader.CheckJob{Job: loader.Job{Input: path, File: file, Mapping: m}})
	if err != nil {
		t.Fatal(err)
	}
	if res.Plan.Ready() != n || res.Plan.Rows.Sum() != n {
		t.Errorf("%d of %d rows would be sent, want all %d", res.Plan.Ready(), res.Plan.Rows.Sum(), n)
	}
	rows := 0
	err = withExcelize(book, func(next func() ([]string, error)) error {
		err := withSource(book, func(row *source.Row) error {
			theirs, err := next()
			if err != nil {
				return err
			}
			rows++
			if len(theirs) != columns || len(row.Cells) != columns {
				t.Errorf("row %d has %d and %d cells, want %d", row.Number, len(row.Cells), len(theirs), columns)
				return nil
			}
			for i, c := range row.Cells {
				if !sameCell(c, theirs[i]) {
					t.Errorf("row %d, column %d: %q, excelize has %q", row.Number, i, c.Text, theirs[i])
				}
			}
			return nil
		})
		if _, end := next(); err == nil && end != io.EOF {
			t.Errorf("after the last row excelize says %v", end)
		}
		return err
	})
	if err != nil || rows != n {
		t.Errorf("%d rows, %v; want %d", rows, err, n)
	}
	if sameCell(converter.Cell{Text: "01", Kind: converter.TextCell}, "1") || sameCell(converter.Cell{Text: "2", Kind: converter.NumberCell}, "1") {
		t.Error("cells that differ count as the same")
	}
}
