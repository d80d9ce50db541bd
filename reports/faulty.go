package reports

import (
	"slices"
	"strconv"
	"strings"

	"leadload/loader/ledger"
)

// faultFinder finds the input's columns that a row's error is about.
type faultFinder struct {
	columns map[string]int   // by name
	fields  map[string][]int // columns by a field's name
	key     []int
}

func newFaultFinder(header, key []string, fields []Field) *faultFinder {
	f := &faultFinder{columns: map[string]int{}, fields: map[string][]int{}}
	for i, name := range header {
		f.columns[name] = i
	}
	places := func(names []string) (out []int) {
		for _, n := range names {
			if i, ok := f.columns[n]; ok {
				out = append(out, i)
			}
		}
		return out
	}
	f.key = places(key)
	for _, field := range fields {
		for _, name := range field.Names {
			f.fields[name] = append(f.fields[name], places(field.Columns)...)
		}
	}
	return f
}

// find returns the places of the columns at fault, each once; nil where the
// error is about no column.
func (f *faultFinder) find(r *ledger.Row) []int {
	out := f.named(r.Error)
	if len(out) > 0 {
		return out
	}
	switch r.Result {
	case ledger.ResultRepeated:
		return f.key
	case ledger.ResultRejected, ledger.ResultChanged, ledger.ResultConflict, ledger.ResultInvalid:
		return f.inWords(r.Error)
	}
	return nil
}

// columnMark begins a message about a column: column "Amount": …
const columnMark = "column "

// named reads the columns that a message names in our own form, in which the
// parts about several columns are joined by "; ".
func (f *faultFinder) named(msg string) (out []int) {
	for at := 0; at < len(msg); {
		i := strings.Index(msg[at:], columnMark+`"`)
		if i < 0 {
			return out
		}
		start := at + i
		at = start + len(columnMark)
		quoted, err := strconv.QuotedPrefix(msg[at:])
		if err != nil {
			continue
		}
		at += len(quoted)
		if !strings.HasPrefix(msg[at:], ": ") || start > 0 && !strings.HasSuffix(msg[:start], "; ") {
			continue // a word of somebody else's sentence
		}
		name, err := strconv.Unquote(quoted)
		if err != nil {
			continue
		}
		// A field may be made from several columns, whose names are joined.
		names := []string{name}
		if _, ok := f.columns[name]; !ok {
			names = strings.Split(name, " + ")
		}
		for _, n := range names {
			if k, ok := f.columns[n]; ok && !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	return out
}

// inWords finds fields of the account in a message: mx_Custom_6.
func (f *faultFinder) inWords(msg string) (out []int) {
	if len(f.fields) == 0 {
		return nil
	}
	word := func(r rune) bool {
		return !(r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}
	for w := range strings.FieldsFuncSeq(msg, word) {
		for _, k := range f.fields[strings.Trim(w, ".")] {
			if !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	return out
}
