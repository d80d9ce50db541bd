package source

import (
	"io"
	"slices"
	"strings"

	"github.com/gocarina/gocsv"
)

// Decoder gives the file to gocsv, CSV and XLSX alike: the header first, then
// every row with as many cells as the header has. A row with a fault ends the
// reading with that fault, so that nothing is left out unseen. Fields of the
// structs that gocsv fills must be strings: it reads "010" as eight and
// "1,234" as a fraction.
func (f *File) Decoder() gocsv.SimpleDecoder { return &decoder{f: f} }

// decoder is one pass in the form that gocsv reads.
type decoder struct {
	f    *File
	p    *pass
	err  error
	head bool
}

// GetCSVRow gives the header, then row after row, then io.EOF.
func (d *decoder) GetCSVRow() ([]string, error) {
	if d.err != nil {
		return nil, d.err
	}
	if !d.head {
		d.head = true
		return d.f.Header(), nil
	}
	if d.p == nil {
		if d.p, d.err = d.f.pass(false); d.err != nil {
			d.err = d.f.place(d.err)
			return nil, d.err
		}
	}
	row, err := d.p.next()
	switch {
	case err == io.EOF:
		d.err = io.EOF
	case err != nil:
		d.err = d.f.place(err)
	case len(row.Faults) > 0:
		d.err = row.Faults[0]
	default:
		out := make([]string, len(row.Cells))
		for i := range row.Cells {
			out[i] = strings.Clone(row.Cells[i].Text)
		}
		return out, nil
	}
	d.p.close()
	return nil, d.err
}

// GetCSVRows gives all that is left.
func (d *decoder) GetCSVRows() ([][]string, error) {
	var out [][]string
	for {
		row, err := d.GetCSVRow()
		if err == io.EOF {
			return slices.Clip(out), nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
}
