package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/converter"
	"leadload/loader/source"
)

// checkSpeed compares the command check with encoding/csv, whole processes in turns.
func checkSpeed(b *bench) ([]line, error) {
	n := b.either(1_000_000, 100_000)
	file, err := b.file(n)
	if err != nil {
		return nil, err
	}
	var bare, ours, ratios []float64
	var peak int64
	for range b.either(3, 3) {
		e, err := b.start(nil, "@csv", file, fmt.Sprint(n))
		if err != nil {
			return nil, err
		}
		state := b.state()
		c, err := b.start([]string{"XDG_STATE_HOME=" + state}, "@leadload", "check", file, "-m", b.mapping(), "--sandbox", "-q")
		if err != nil {
			return nil, err
		}
		peak = max(peak, c.peak)
		bare, ours = append(bare, float64(n)/e.took.Seconds()), append(ours, float64(n)/c.took.Seconds())
		ratios = append(ratios, e.took.Seconds()/c.took.Seconds())
	}
	lines := []line{
		{what: fmt.Sprintf("check, CSV of %s × %d", count(n), columns), target: "≥ 0.50 of encoding/csv that does nothing",
			measured: fmt.Sprintf("%s rows/s; encoding/csv %s", count(median(ours)), count(median(bare))), ratio: median(ratios), verdict: judge(median(ratios) >= 0.5)},
		{what: "the same: peak memory", target: "< 150 MB", measured: megabytes(peak), verdict: judge(peak < 150_000_000)},
	}
	if peak == 0 {
		lines[1].verdict = skipped
	}
	return lines, nil
}

// readBareCSV is the yardstick of check.
func readBareCSV(_ context.Context, args []string) error {
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	n := -1 // the header
	for {
		if _, err := r.Read(); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		n++
	}
	if args[1] != strconv.Itoa(n) {
		return fmt.Errorf("%d rows, want %s", n, args[1])
	}
	return nil
}

// reading is what the role @xlsx found.
type reading struct {
	Rows, Cells, Different int
	Seconds                float64
}

func xlsxSpeed(b *bench) ([]line, error) {
	n := b.either(200_000, 20_000)
	file := filepath.Join(b.dir, fmt.Sprintf("rows-%d.xlsx", n))
	if err := writeXLSX(file, n); err != nil {
		return nil, err
	}
	var bare, ours, ratios []float64
	var peaks [2]int64
	for range b.either(3, 3) {
		var took [2]float64
		for i, how := range []string{"excelize", "source"} {
			e, err := b.start(nil, "@xlsx", how, file)
			if err != nil {
				return nil, err
			}
			var r reading
			if err := e.decode(&r); err != nil {
				return nil, err
			}
			if r.Rows != n {
				return nil, fmt.Errorf("%s reads %d rows, want %d", how, r.Rows, n)
			}
			took[i], peaks[i] = r.Seconds, max(peaks[i], e.peak)
		}
		bare, ours, ratios = append(bare, float64(n)/took[0]), append(ours, float64(n)/took[1]), append(ratios, took[0]/took[1])
	}
	e, err := b.start(nil, "@xlsx", "both", file)
	if err != nil {
		return nil, err
	}
	var r reading
	if err := e.decode(&r); err != nil {
		return nil, err
	}
	return []line{
		{what: fmt.Sprintf("reading an XLSX of %s × %d", count(n), columns), target: "≥ 4 times excelize's raw rows",
			measured: fmt.Sprintf("%s rows/s; excelize %s; peak %s and %s", count(median(ours)), count(median(bare)), megabytes(peaks[1]), megabytes(peaks[0])),
			ratio:    median(ratios), verdict: judge(median(ratios) >= 4)},
		{what: "the same: cells equal to excelize's", target: "every cell", measured: fmt.Sprintf("%s cells, %s differ", count(r.Cells), count(r.Different)),
			verdict: judge(r.Different == 0 && r.Cells == n*columns)},
	}, nil
}

// sharedSpeed compares texts that cells name by number with texts in the cells.
func sharedSpeed(b *bench) ([]line, error) {
	n := b.either(200_000, 20_000)
	files := map[string]string{"shared": filepath.Join(b.dir, "shared.xlsx"), "inline": filepath.Join(b.dir, "inline.xlsx")}
	for name, file := range files {
		if err := writeTexts(file, n, name == "shared"); err != nil {
			return nil, err
		}
	}
	speed := map[string][]float64{}
	var ratios []float64
	var peak int64
	for range b.either(3, 3) {
		took := map[string]float64{}
		for name, file := range files {
			e, err := b.start(nil, "@xlsx", "source", file)
			if err != nil {
				return nil, err
			}
			var r reading
			if err := e.decode(&r); err != nil {
				return nil, err
			}
			if r.Rows != n {
				return nil, fmt.Errorf("%d rows, want %d", r.Rows, n)
			}
			if name == "shared" {
				peak = max(peak, e.peak)
			}
			took[name] = r.Seconds
			speed[name] = append(speed[name], float64(n)/r.Seconds)
		}
		ratios = append(ratios, took["inline"]/took["shared"])
	}
	texts := n * columns / 2
	lines := []line{
		{what: fmt.Sprintf("reading %s × %d of an XLSX, %s different shared strings", count(n), columns, count(texts)), target: "≥ 0.80 of texts in their cells",
			measured: fmt.Sprintf("%s rows/s; in cells %s", count(median(speed["shared"])), count(median(speed["inline"]))), ratio: median(ratios), verdict: judge(median(ratios) >= 0.8)},
		{what: "the same: peak memory", target: "≤ 250 MB", measured: megabytes(peak), verdict: judge(peak <= 250_000_000)},
	}
	if peak == 0 {
		lines[1].verdict = skipped
	}
	return lines, nil
}

// readXLSX reads a workbook with our reader, with excelize, or with both side by side.
func readXLSX(_ context.Context, args []string) error {
	how, path := args[0], args[1]
	var r reading
	began := time.Now()
	var err error
	switch how {
	case "source":
		err = withSource(path, func(row *source.Row) error { r.Rows++; return nil })
	case "excelize":
		err = withExcelize(path, func(next func() ([]string, error)) error {
			for {
				if _, err := next(); err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
				r.Rows++
			}
		})
	case "both":
		err = withExcelize(path, func(next func() ([]string, error)) error {
			if err := withSource(path, func(row *source.Row) error {
				r.Rows++
				theirs, err := next()
				if err != nil {
					return err
				}
				for i := range max(len(row.Cells), len(theirs)) {
					r.Cells++
					if i >= len(row.Cells) || i >= len(theirs) || !sameCell(row.Cells[i], theirs[i]) {
						r.Different++
					}
				}
				return nil
			}); err != nil {
				return err
			}
			if _, err := next(); err != io.EOF {
				return errors.New("excelize has more rows")
			}
			return nil
		})
	default:
		err = fmt.Errorf("there is no way %q to read", how)
	}
	if err != nil {
		return err
	}
	r.Seconds = time.Since(began).Seconds()
	return json.NewEncoder(os.Stdout).Encode(r)
}

// sameCell allows a number to be written in another way.
func sameCell(ours converter.Cell, theirs string) bool {
	if ours.Text == theirs {
		return true
	}
	if ours.Kind != converter.NumberCell && ours.Kind != converter.DateCell {
		return false
	}
	a, err := strconv.ParseFloat(ours.Text, 64)
	b, err2 := strconv.ParseFloat(theirs, 64)
	return err == nil && err2 == nil && a == b
}

func withSource(path string, each func(*source.Row) error) error {
	f, err := source.Open(path, source.Options{})
	if err != nil {
		return err
	}
	defer f.Close()
	for row, err := range f.Rows() {
		if err == nil && len(row.Faults) > 0 {
			err = row.Faults[0]
		}
		if err == nil {
			err = each(row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// withExcelize gives the rows below the header, one at each call of next; io.EOF is the end.
func withExcelize(path string, do func(next func() ([]string, error)) error) error {
	f, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := f.Rows(f.GetSheetName(0))
	if err != nil {
		return err
	}
	defer rows.Close()
	next := func() ([]string, error) {
		if !rows.Next() {
			return nil, errors.Join(rows.Error(), io.EOF)
		}
		return rows.Columns()
	}
	if _, err := next(); err != nil {
		return err
	}
	return do(func() ([]string, error) {
		cells, err := next()
		if err != nil && rows.Error() == nil && errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return cells, err
	})
}
