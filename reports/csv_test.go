package reports

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
)

func TestGuard(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"a word", "Asha", "Asha"},
		{"a formula", "=1+1", "'=1+1"},
		{"a command", "=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
		{"a phone with its country", "+91-9876543210", "'+91-9876543210"},
		{"a phone with zeros", "00919876543210", "00919876543210"},
		{"a handle", "@asha", "'@asha"},
		{"a lookup through a sign", "-1+HYPERLINK(\"x\")", "'-1+HYPERLINK(\"x\")"},
		{"a negative amount", "-12.50", "-12.50"},
		{"a negative whole", "-7", "-7"},
		{"a dash", "-", "'-"},
		{"a negative with two points", "-1.2.3", "'-1.2.3"},
		{"a negative with an exponent", "-1E5", "'-1E5"},
		{"a point alone", "-.", "'-."},
		{"a tab", "\t=1", "'\t=1"},
		{"a line break", "\r=1", "'\r=1"},
		{"an apostrophe", "'tis", "''tis"},
		{"a formula inside", "a=1", "a=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := guard(c.in); got != c.want {
				t.Errorf("guard(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestCSV(t *testing.T) {
	in := inputOf([]string{"Deal ID", "=Mobile", "Remarks"},
		texts("00123", "+91-9876543210", "says \"hi\", twice\nand more"),
		texts("-5", "", "@x"))
	rows := []ledger.Row{
		{Number: 2, Origin: 1002, Result: ledger.ResultLoaded, ID: "id-1", LeadID: "lead-1", Attempts: 2, SentAt: outcome(0).SentAt, Fingerprint: print(in.row(0).Cells), Key: "00123"},
		{Number: 3, Origin: 3, Result: ledger.ResultInvalid, Error: "=bad", Hint: "mend it", Fingerprint: print(in.row(1).Cells), Key: "-5"},
	}
	var b bytes.Buffer
	if err := jobOf(ledgerOf(rows...), in).writeCSV(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	const want = "Row,Key,Result,Error,What to do,Deal ID,'=Mobile,Remarks,ID,Lead ID,Attempts,Sent at\n" +
		"1002,00123,loaded,,,00123,'+91-9876543210,\"says \"\"hi\"\", twice\nand more\",id-1,lead-1,2,2026-11-22 04:30:00\n" +
		"3,-5,invalid,'=bad,mend it,-5,,'@x,,,,\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestCSVWithoutRows(t *testing.T) {
	var b bytes.Buffer
	if err := WriteCSV(context.Background(), Report{}, &b); err != nil {
		t.Fatal(err)
	}
	if want := strings.Join(source.ResultColumns, ",") + "\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// TestCSVDates: a file without cell types has dates in words.
func TestCSVDates(t *testing.T) {
	for _, c := range []struct{ name, serial, want string }{
		{"date and time", "46000.395833333336", "2025-12-09 09:30:00"},
		{"date", "46000", "2025-12-09"},
		{"time", "0.5", "12:00:00"},
		{"midnight", "0", "00:00:00"},
		{"rounds to the second", "46000.9999999", "2025-12-10"},
		{"first day", "1", "1900-01-01"},
		{"the day that never was", "60", "60"},
		{"the day after it", "61", "1900-03-01"},
		{"the day before it", "59", "1900-02-28"},
		{"last day", "2958465", "9999-12-31"},
		{"beyond the last day", "2958466", "2958466"},
		{"below nought", "-1", "-1"},
		{"no number", "soon", "soon"},
		{"not a number", "NaN", "NaN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := source.Plain(converter.Cell{Kind: converter.DateCell, Text: c.serial}); got != c.want {
				t.Errorf("%s is %q, want %q", c.serial, got, c.want)
			}
		})
	}
}

// TestCSVFile: the file begins with a byte order mark, for Excel's sake, and
// is as private as the workbook.
func TestCSVFile(t *testing.T) {
	path, err := every().write(context.Background(), filepath.Join(t.TempDir(), "r.CSV"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte("\xEF\xBB\xBFRow,")) {
		t.Errorf("begins with %q", b[:8])
	}
	if info, err := os.Stat(path); err != nil || (runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0) {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil || len(records) != 13 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

type fullWriter struct{ left int }

var errWriter = errors.New("the writer is full")

func (w *fullWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errWriter
	}
	return len(p), nil
}

func TestCSVWriterFails(t *testing.T) {
	l, in := deals(5000)
	for _, left := range []int{0, 1 << 16, 1 << 18} {
		if err := jobOf(l, in).writeCSV(context.Background(), &fullWriter{left}); !errors.Is(err, errWriter) {
			t.Errorf("after %d bytes: %v, want the writer's error", left, err)
		}
	}
}

var guardSeeds = []string{"=1+1", "+91-9876543210", "-12.50", "'", "''", "'=x", "-", "a,b\"c\nd", "\ttab", "\r", "हिन्दी", " lead", "-.5", "-5-", "@"}

// FuzzGuard: what a spreadsheet sees is never a formula, and source reads the
// cell back as it was.
func FuzzGuard(f *testing.F) {
	if len(guardSeeds) < 10 {
		f.Fatal("too few seeds")
	}
	for _, s := range guardSeeds {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\x00\r") || strings.ToValidUTF8(s, "") != s || strings.Contains(s, "\uFEFF") {
			t.Skip("encoding/csv or the reader's charset check changes or refuses these")
		}
		g := guard(s)
		if g != "" && strings.IndexByte("=+@\t\r", g[0]) >= 0 {
			t.Fatalf("guard(%q) = %q begins a formula", s, g)
		}
		if g != "" && g[0] == '-' && !plainNumber(g[1:]) {
			t.Fatalf("guard(%q) = %q may be a formula", s, g)
		}
		in := inputOf([]string{"first", "cell"}, texts("x", s))
		row := ledger.Row{Number: 2, Origin: 2, Result: ledger.ResultLoaded, Fingerprint: print(in.row(0).Cells)}
		path := filepath.Join(dir, "r.csv")
		os.Remove(path)
		if _, err := jobOf(ledgerOf(row), in).write(context.Background(), path); err != nil {
			t.Fatal(err)
		}
		back, err := source.Open(path, source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer back.Close()
		for r, err := range back.Rows() {
			if err != nil {
				t.Fatal(err)
			}
			if r.Cells[1].Text != s {
				t.Fatalf("%q was written as %q and read as %q", s, g, r.Cells[1].Text)
			}
		}
	})
}

var _ io.Writer = (*fullWriter)(nil)
