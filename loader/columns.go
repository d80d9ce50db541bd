package loader

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"leadload/internal/fault"
	"leadload/loader/source"
	"leadload/mapping"
)

// Compile checks a mapping against the columns of a file. Where most of the
// columns are not there, or stand in another sheet or row, one *fault.Fault
// says so; else the error is mapping.Problems. input is the file as the user
// named it, "" where that is plain.
func Compile(m *mapping.Mapping, f *source.File, input string) (*mapping.Program, error) {
	header := f.Header()
	p, err := m.Compile(header, f.Positions()...)
	var probs mapping.Problems
	if !errors.As(err, &probs) {
		return p, err
	}
	wanted := m.Columns()
	var missing []string
	for _, name := range wanted {
		if !slices.Contains(header, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil, err
	}
	place := where(input, f)
	found := len(wanted) - len(missing)
	best := f.Find(wanted)
	if best.Found <= found && 2*found >= len(wanted) {
		// Names that are written otherwise: each has its place in the mapping.
		told := ""
		for i := range probs {
			if probs[i].Code != "mapping.unknown-column" {
				continue
			}
			probs[i].Msg = strings.Replace(probs[i].Msg, "which the file does not have", "which "+place+" does not have", 1)
			if probs[i].Hint == told {
				probs[i].Hint = "" // the same list of columns
			} else if strings.HasPrefix(probs[i].Hint, "the file has: ") {
				told = probs[i].Hint
			}
		}
		return nil, probs
	}
	hint := "check that this is the right file; its columns are " + listed(header)
	if best.Found > found {
		hint = elsewhere(f, best)
	}
	return nil, fault.New("file.columns", hint, "%s has %d of the %d columns that %s names; not there: %s",
		place, found, len(wanted), m.Name, listed(missing))
}

// where names a file, and the sheet and header row that are read.
func where(input string, f *source.File) string {
	info := f.Info()
	name := filepath.Base(input)
	switch input {
	case "":
		name = "the file"
	case "-":
		name = "standard input"
	}
	switch {
	case info.Sheet != "":
		return fmt.Sprintf("%s (sheet %q, header in row %d)", name, info.Sheet, info.HeaderRow)
	case info.HeaderRow > 1:
		return fmt.Sprintf("%s (header in row %d)", name, info.HeaderRow)
	}
	return name
}

// elsewhere says where the columns are and what to write for them to be read.
func elsewhere(f *source.File, p source.Place) string {
	info := f.Info()
	row := fmt.Sprintf("header_row: %d", p.Row)
	switch {
	case p.Sheet == info.Sheet:
		return fmt.Sprintf("row %d has these names: write %s under input: in the mapping", p.Row, row)
	case p.Chosen:
		return fmt.Sprintf("the sheet %q has these columns: add --sheet %q, or write sheet: %q under input: in the mapping", p.Sheet, p.Sheet, p.Sheet)
	}
	return fmt.Sprintf("row %d of the sheet %q has these names: write sheet: %q and %s under input: in the mapping", p.Row, p.Sheet, p.Sheet, row)
}

// listed quotes a handful of names.
func listed(names []string) string {
	const most = 12
	var out []string
	for _, n := range names {
		if n != "" {
			out = append(out, fmt.Sprintf("%q", n))
		}
	}
	if len(out) == 0 {
		return "none"
	}
	if n := len(out) - most; n > 0 {
		out = append(out[:most:most], fmt.Sprintf("%d more", n))
	}
	return strings.Join(out, ", ")
}
