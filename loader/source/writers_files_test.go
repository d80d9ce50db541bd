package source

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"leadload/converter"
)

// TestWriters: workbooks of a dozen writers, each told the same table, read
// cell by cell as what it was told. testdata/writers/make.sh makes them.
func TestWriters(t *testing.T) {
	files, err := filepath.Glob("testdata/writers/*.xlsx")
	if err != nil || len(files) < 11 {
		t.Fatalf("%d workbooks, %v", len(files), err)
	}
	type row struct {
		id, name string
		amount   float64
		created  float64 // as a serial
		paid     string
	}
	told := []row{
		{"00123", "Asha Rao", 1234.5, 46022.979166666664, "TRUE"},
		{"D-2", `आशा 😀 <&"'>`, -0.5, 45659.375, "FALSE"},
		{"=1+1", " two\nlines ", 919876543210, 45351, "TRUE"},
	}
	// These have the results of their formulas; the others do not calculate.
	calculated := map[string]bool{"sheetjs-0.18.5": true, "sheetjs-0.20.3": true, "gnumeric": true, "libreoffice": true}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".xlsx")
		t.Run(name, func(t *testing.T) {
			s := readAll(t, path, Options{})
			if s.err != nil || strings.Join(s.header, "|") != "Deal ID|Name|Amount|Created|Paid|Sum" || len(s.rows) != len(told) {
				t.Fatalf("%v, header %q, %d rows", s.err, s.header, len(s.rows))
			}
			for i, want := range told {
				r := s.rows[i]
				if len(r.Faults) > 0 {
					t.Errorf("row %d: %v", r.Number, r.Faults)
				}
				number := func(col int, kind converter.Kind, want float64) {
					c := r.Cells[col]
					v, err := strconv.ParseFloat(c.Text, 64)
					if c.Kind != kind || err != nil || math.Abs(v-want) > 1e-6 {
						t.Errorf("row %d, column %d: %v %q, want %v %v", r.Number, col, c.Kind, c.Text, kind, want)
					}
				}
				text := func(col int, kind converter.Kind, want string) {
					if c := r.Cells[col]; c.Kind != kind || c.Text != want {
						t.Errorf("row %d, column %d: %v %q, want %v %q", r.Number, col, c.Kind, c.Text, kind, want)
					}
				}
				text(0, converter.TextCell, want.id)
				text(1, converter.TextCell, want.name)
				number(2, converter.NumberCell, want.amount)
				number(3, converter.DateCell, want.created)
				text(4, converter.BoolCell, want.paid)
				if calculated[name] {
					number(5, converter.NumberCell, 2*want.amount)
				} else {
					text(5, converter.FaultCell, NeverCalculated)
				}
			}
		})
	}
}
