package loader

import (
	"slices"
	"strings"

	"leadload/loader/compare"
	"leadload/loader/leadsquared"
	"leadload/loader/target"
	"leadload/loader/words"
)

// behind reports whether the account shows something else than what was sent last.
func (v *verifier) behind(c *verifyChunk, r *verifyRow) bool {
	b := c.back[strings.ToLower(r.ID)]
	if b.Presence != target.Present {
		return true
	}
	behind := false
	v.differences(c, r, func(d Difference) { behind = behind || d.By != "file" })
	return behind
}

// judge compares one row with what the account has of it.
func (v *verifier) judge(c *verifyChunk, r *verifyRow) error {
	b, read := c.back[strings.ToLower(r.ID)]
	switch {
	case !read:
		r.Result, r.Note = words.Unreadable, "the account did not answer for it"
	case b.Presence == target.Gone:
		r.Result, r.Note = words.Missing, "the account no longer has it"
	case b.Presence != target.Present:
		r.Result, r.Note = words.Unreadable, b.Why
	default:
		var fields []string
		var failed error
		unread := v.differences(c, r, func(d Difference) {
			v.res.By[d.By]++
			fields = append(fields, d.Field)
			if failed == nil {
				failed = v.job.Sink.Difference(d)
			}
		})
		if failed != nil {
			return failed
		}
		switch {
		case len(fields) > 0:
			r.Result, r.Note = words.Differs, "differs in "+strings.Join(fields, ", ")
		case len(unread) > 0:
			r.Result, r.Note = words.Unreadable, "the account did not show "+strings.Join(unread, ", ")
		default:
			r.Result = words.Same
		}
	}
	v.res.Totals.Add(r.Result, 1)
	return nil
}

// differences calls each for every field of a row that the account has
// otherwise. It returns the fields that the account did not show.
func (v *verifier) differences(c *verifyChunk, r *verifyRow, each func(Difference)) (unread []string) {
	b := c.back[strings.ToLower(r.ID)]
	lead := ""
	if v.leads {
		if lead = r.trace.Lead; lead == "" {
			lead = b.Lead
		}
	}
	for i, f := range r.values {
		var has string
		var shown bool
		name := f.Name
		switch {
		case !v.compare[name]:
			continue
		case strings.HasPrefix(name, leadPrefix):
			if !v.leads {
				continue
			}
			of := c.leads[strings.ToLower(lead)]
			if has, shown = of.Value(name); !shown && of.Presence == target.Present {
				shown = true // the answer leaves attributes out that have no value
			}
		case !v.reader.Shows(name):
			continue
		default:
			name = name[strings.IndexByte(name, '.')+1:]
			if has, shown = b.Values[f.Name]; !shown {
				shown = v.shown[f.Name] // of others it is shown: this one has no value
			}
		}
		if !shown {
			if f.Value != "" {
				unread = append(unread, name)
			}
			continue
		}
		if f.Value == has || leadsquared.SameValue(f.Value, has) {
			continue
		}
		sent := r.print(i, f.Name)
		d := Difference{Row: r.Row, Key: r.Key, ID: r.ID, Field: name, File: f.Value, Account: has}
		values := compare.Values{Sent: sent, Account: has, File: f.Value}
		id := r.ID
		if strings.HasPrefix(f.Name, leadPrefix) {
			id = lead
		}
		if base, known := c.known[strings.ToLower(id)+" "+f.Name]; known && base.Lead && sent != 0 {
			values.Sent, values.Second = base.Sent, base.Second // other rows write there too
		} else if known && base.Sent == sent {
			values.Second = base.Second
		}
		switch compare.Judge(values) {
		case compare.Send:
			if d.By = "file"; compare.Is(has, sent) {
				d.SentLast = has
			}
		case compare.Conflict:
			d.By = "both"
		default:
			// The file has what was sent. A value that two forms of comparing see
			// differently, such as a rounded number, is the account's doing too.
			d.By, d.SentLast = "account", f.Value
		}
		if sent == 0 {
			d.By, d.SentLast = "mapping", ""
		}
		each(d)
	}
	return unread
}

// print returns the hash of what was sent last for a field; 0: it was never sent.
func (r *verifyRow) print(i int, field string) uint32 {
	if i >= len(r.names) || r.names[i] != field {
		i = slices.Index(r.names, field)
	}
	if i < 0 || 4*i+4 > len(r.prints) {
		return 0
	}
	p := r.prints[4*i:]
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}
