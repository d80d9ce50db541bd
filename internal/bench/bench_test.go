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
	var plain bytes.Buffer
	writePlain(&plain, table)
	marked := markdownHead() + markdownRow(table[0]) + "\n" + markdownRow(table[1]) + "\n"
	for _, want := range []string{"check", "0.51", "met", "MISSED"} {
		if !strings.Contains(plain.String(), want) {
			t.Errorf("the plain table lacks %q:\n%s", want, plain.String())
		}
	}
	const want = "| Measurement | What | Target | Measured | Ratio | Verdict |\n|---|---|---|---|--:|---|\n| `check` | rows\\|s | ≥ 0.50 | 1,000 | 0.51 | met |\n| `memory` | peak |  | 9 MB |  | MISSED |\n"
	if marked != want {
		t.Errorf("Markdown:\n%s\nwant:\n%s", marked, want)
	}
	if heads[0] != "Measurement" {
		t.Error("writing Markdown changed the heads")
	}
}

// A run of some measurements replaces their lines and leaves the others and
// everything around the table.
func TestWriteReadme(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	write("# Title\n\n" + tableBegin + tableEnd + "\n\nmore\n")
	if err := writeReadme(path, []line{{name: "check", what: "one", verdict: met}, {name: "check", what: "two", verdict: met}, {name: "startup", what: "a", verdict: met}}, "2 cores"); err != nil {
		t.Fatal(err)
	}
	if err := writeReadme(path, []line{{name: "check", what: "three", verdict: missed}}, "4 cores"); err != nil {
		t.Fatal(err)
	}
	want := "# Title\n\n" + tableBegin + "\n" + markdownHead() + "| `startup` | a |  |  |  | met |\n| `check` | three |  |  |  | MISSED |\n\nLast written on 4 cores.\n\n" + tableEnd + "\n\nmore\n"
	if got := read(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	write("# no marks\n")
	if err := writeReadme(path, nil, ""); err == nil || read() != "# no marks\n" {
		t.Errorf("a README without marks: %v, %q", err, read())
	}
}

func TestComparisonOf(t *testing.T) {
	got := comparisonOf("findings/x.sh", "node v20\nMost arrivals:\n| a |\n| --- |\n| 1 |\n")
	if want := "<!-- printed by bash findings/x.sh -->\n\n| a |\n| --- |\n| 1 |\n\nMost arrivals; node v20.\n\n<!-- end of the output -->"; got != want {
		t.Errorf("got %q", got)
	}
	if again := comparison.FindStringSubmatch(got); again == nil || again[1] != "findings/x.sh" {
		t.Error("its own place is not found again")
	}
}

// TestReadmeHasItsPlaces holds the README against the scripts and the marks.
func TestReadmeHasItsPlaces(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), tableBegin) || !strings.Contains(string(text), tableEnd) {
		t.Error("the README has no place for the table")
	}
	found := comparison.FindAllStringSubmatch(string(text), -1)
	if len(found) < 5 {
		t.Errorf("%d places for comparisons, want 5", len(found))
	}
	for _, m := range found {
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Error(err)
		}
		if !strings.Contains(m[0], "\n| ") {
			t.Errorf("%s has printed no table into the README", m[1])
		}
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
