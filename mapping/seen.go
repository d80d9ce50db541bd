package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadload/converter"
)

// Seen is what the rows that a runner mapped tell together: columns that may
// have been read the wrong way round, and words that only a default caught.
type Seen struct {
	p      *Program
	fields []converter.Evidence // by step
	words  []map[string]int64   // by step: words that are not listed in values, with their cells
	others []int64              // by step: cells with further words
}

// maxWords bounds how many different words of one field are kept.
const maxWords = 200

func newSeen(p *Program) *Seen {
	n := len(p.steps) + 1
	return &Seen{p: p, fields: make([]converter.Evidence, n), words: make([]map[string]int64, n), others: make([]int64, n)}
}

// word counts a word that the default stands in for.
func (s *Seen) word(step int, text string, n int64) {
	m := s.words[step]
	if _, known := m[text]; !known {
		if len(m) >= maxWords {
			s.others[step] += n
			return
		}
		if m == nil {
			m = map[string]int64{}
			s.words[step] = m
		}
		text = strings.Clone(text) // a row's texts lie in memory that is used again
	}
	m[text] += n
}

// Join adds what another has seen of the same file.
func (s *Seen) Join(o *Seen) {
	for i := range s.fields {
		s.fields[i].Join(&o.fields[i])
		for text, n := range o.words[i] {
			s.word(i, text, n)
		}
		s.others[i] += o.others[i]
	}
}

// Warnings returns what a person should look at before the rows are sent.
func (s *Seen) Warnings() []string {
	var out []string
	add := func(w string) {
		if !slices.Contains(out, w) { // a column may serve several fields
			out = append(out, w)
		}
	}
	for i := range s.p.steps {
		for _, doubt := range s.fields[i].Doubts() {
			add(s.p.steps[i].subject() + ": " + doubt)
		}
	}
	for i := range s.p.steps {
		if w := s.defaulted(i); w != "" {
			add(w)
		}
	}
	return out
}

// subject names where a step's values come from.
func (s *step) subject() string {
	if s.col >= 0 {
		return "column " + strconv.Quote(s.column)
	}
	if s.column == "" {
		return s.name
	}
	return s.name + " (" + s.column + ")"
}

// shownWords is how many words a warning lists.
const shownWords = 6

// defaulted says which words the default of a step stood in for.
func (s *Seen) defaulted(i int) string {
	type count struct {
		text string
		n    int64
	}
	var list []count
	total := s.others[i]
	for text, n := range s.words[i] {
		list = append(list, count{text, n})
		total += n
	}
	if total == 0 {
		return ""
	}
	slices.SortFunc(list, func(a, b count) int { return cmp.Or(cmp.Compare(b.n, a.n), strings.Compare(a.text, b.text)) })
	var words []string
	shown := s.others[i]
	for j, c := range list {
		if j < shownWords {
			words = append(words, fmt.Sprintf("%s (%d)", quoted(c.text), c.n))
		} else {
			shown += c.n
		}
	}
	all := strings.Join(words, ", ")
	if shown > 0 {
		all += fmt.Sprintf(" and %d cells with other words", shown)
	}
	st := &s.p.steps[i]
	return fmt.Sprintf("%s: the default %s stands in for %d %s with a word that values does not list: %s; list each word with what it means",
		st.subject(), quoted(st.f.def), total, plural(int(total), "cell", "cells"), all)
}

// Seen returns what the runner's rows have told so far. It grows with them.
func (r *Runner) Seen() *Seen { return r.seen }

// Again maps a row that the runner, or another one of the same file, has
// mapped before, so that it is not counted twice.
func (r *Runner) Again(cells []converter.Cell, rec *Record) {
	r.again = true
	r.Map(cells, rec)
	r.again = false
}

// evidence returns where a step's values are taken in; nil for those that say
// nothing about a column.
func (r *Runner) evidence(s *step) *converter.Evidence {
	if r.again || r.computed {
		return nil
	}
	return &r.seen.fields[s.id]
}

// Sample is a conversion of one cell, or of what a row's cells were put
// together to.
type Sample struct {
	Field  string // as in Record.Fields
	Column string // the column's name; several are joined by " + "
	Local  string // the clock that it was read from, "2025-12-31 23:30:00 +05:30"; a day as written
	Value  string // what is sent, a time in UTC
	Day    bool   // it is a day without a time
}

// Sampler collects the first conversions of each field that is a time or a day.
type Sampler struct {
	r     *Runner
	steps []int // those that want more
	taken []int // by step
	rows  int
	list  []Sample
}

const (
	samplesEach = 3
	// samplerRows bounds how far samples are looked for: a column may stay
	// empty to the end of the file.
	samplerRows = 10_000
)

// Sampler returns a sampler for one goroutine.
func (p *Program) Sampler() *Sampler {
	s := &Sampler{r: p.Runner(), taken: make([]int, len(p.steps))}
	for i := range p.steps {
		st := &p.steps[i]
		if t := st.f.spec.Type; !st.fixed && st.f.conv != nil && (t == converter.DateTime || t == converter.Date) {
			s.steps = append(s.steps, i)
		}
	}
	return s
}

// Take looks at a row's cells.
func (s *Sampler) Take(cells []converter.Cell) {
	if len(s.steps) == 0 {
		return
	}
	var rec Record
	r := s.r
	r.rec, r.input = &rec, cells
	r.row++
	s.rows++
	s.steps = slices.DeleteFunc(s.steps, func(i int) bool {
		st := &r.p.steps[i]
		var made converter.Cell
		cell, ok := r.source(st, &made)
		if !ok || isEmpty(cell) {
			return s.rows >= samplerRows
		}
		var loc *time.Location
		if st.zoneCol >= 0 {
			if loc, ok = r.zone(st); !ok {
				return false
			}
		}
		value, err := st.f.conv.Convert(*cell, loc)
		if err != nil {
			return false
		}
		local, err := st.f.conv.Local(*cell, loc)
		if err != nil {
			return false
		}
		x := Sample{Field: st.name, Column: st.column, Local: local, Value: value}
		if st.f.spec.Type == converter.Date {
			x.Day, x.Local = true, cell.Text
			if cell.Kind == converter.DateCell {
				x.Local = "the spreadsheet's own date" // its text is a count of days, which no spreadsheet shows
			}
		}
		s.list = append(s.list, x)
		s.taken[i]++
		return s.taken[i] == samplesEach
	})
}

// Samples returns what was collected, in the order of the rows.
func (s *Sampler) Samples() []Sample { return s.list }
