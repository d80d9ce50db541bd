package settle

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/target"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// asked is a row in doubt: values by name, "Note" for the note.
func asked(at time.Duration, keys string, pairs ...string) want {
	w := want{event: 12000, sent: noon.Add(at), text: strings.Join(pairs, "\x00")}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == "Note" {
			w.body.Note = pairs[i+1]
			continue
		}
		w.body.Fields = append(w.body.Fields, leadsquared.Pair{Name: pairs[i], Value: pairs[i+1]})
	}
	if keys != "" {
		w.keys = strings.Split(keys, " ")
	}
	return w
}

// there is a record of the account that nobody owns.
func there(id string, at time.Duration, pairs ...string) target.Record {
	c := target.Record{ID: id, Lead: "lead", Code: 12000, Created: noon.Add(at).Truncate(time.Second), Readable: true, Fields: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		c.Fields[pairs[i]] = pairs[i+1]
	}
	return c
}

func hiddenFields(c target.Record) target.Record { c.Readable = false; return c }

func untouched(c target.Record) target.Record { c.Untouched = true; return c }

func elsewhere(c target.Record) target.Record { c.Elsewhere = true; return c }

func constants(w want, names ...string) want { w.plain = names; return w }

func leavesOut(w want, names ...string) want { w.empty = names; return w }

func vague(w want) want { w.vague = true; return w }

func undated(c target.Record) target.Record {
	c.Created, c.Loose = time.Time{}, true
	return c
}

func TestDecide(t *testing.T) {
	const min = time.Minute
	proved := sight{proved: true, span: 2 * min}
	header := sight{span: 2 * min}
	with := func(s sight, seen ...target.Record) sight { s.Records = seen; return s }
	shifted := func(s sight, lo time.Duration) sight { s.lo = lo; return s }
	one := asked(0, "", "Name", "A", "Amount", "10")
	key := asked(0, "Deal", "Deal", "D1", "Name", "A")
	for _, c := range []struct {
		name  string
		wants []want
		sight sight
		end   string // an ending a row: f:ID found, a absent, l later, u:IDS unsure; separated by blanks
	}{
		{"nothing there", []want{one}, with(proved), "a"},
		{"one record, just made", []want{one}, with(proved, there("x", 0, "Name", "A", "Amount", "10")), "f:x"},
		{"values in other clothes", []want{one}, with(proved, there("x", 0, "Name", " a ", "Amount", "10.00")), "f:x"},
		{"whole seconds make it seem older", []want{asked(900*time.Millisecond, "", "Name", "A")}, with(proved, there("x", 0, "Name", "A")), "f:x"},
		{"made while the call hung", []want{one}, with(proved, there("x", 50*time.Second, "Name", "A", "Amount", "10")), "f:x"},
		{"other values, of that very moment", []want{one}, with(proved, there("x", 0, "Name", "B", "Amount", "20")), "u:x"},
		{"other values, an hour older", []want{one}, with(proved, there("x", -time.Hour, "Name", "B", "Amount", "20")), "a"},
		{"the one value was emptied", []want{asked(0, "", "Name", "A")}, with(proved, there("x", 0, "Name", "")), "u:x"},
		{"a sale with other values, undated", []want{one}, with(proved, undated(there("x", 0, "Name", "B", "Amount", "20"))), "a"},
		{"other type", []want{one}, with(proved, func() target.Record { c := there("x", 0, "Name", "A", "Amount", "10"); c.Code = 12001; return c }()), "a"},
		{"same values, an hour older", []want{one}, with(proved, there("x", -time.Hour, "Name", "A", "Amount", "10")), "a"},
		{"same values, five minutes older, clocks proved", []want{one}, with(proved, there("x", -5*min, "Name", "A", "Amount", "10")), "a"},
		{"same values, five minutes older, clocks only believed", []want{one}, with(header, there("x", -5*min, "Name", "A", "Amount", "10")), "u:x"},
		{"a header of years ago, and a record of two years ago", []want{one}, with(shifted(header, -10*365*24*time.Hour), there("x", -700*24*time.Hour, "Name", "A", "Amount", "10")), "a"},
		{"a header of years to come, and a record of the call", []want{one}, with(shifted(header, 10*365*24*time.Hour), there("x", 0, "Name", "A", "Amount", "10")), "f:x"},
		{"a header two hours behind, and a record as much older", []want{one}, with(shifted(header, -2*time.Hour), there("x", -2*time.Hour, "Name", "A", "Amount", "10")), "u:x"},
		{"a header in another zone, and a record in that zone", []want{one}, with(shifted(header, -11*time.Hour/2), there("x", -11*time.Hour/2, "Name", "A", "Amount", "10")), "u:x"},
		{"a header four minutes behind, and a record as much older", []want{one}, with(shifted(header, -4*min), there("x", -4*min, "Name", "A", "Amount", "10")), "u:x"},
		{"a header four minutes ahead, and a record of the call", []want{one}, with(shifted(header, 4*min), there("x", 0, "Name", "A", "Amount", "10")), "u:x"},
		{"our clock was set back, and a record of an hour ago", []want{vague(one)}, with(proved, there("x", -time.Hour, "Name", "A", "Amount", "10")), "u:x"},
		{"our clock was set back, and a record of a week ago that differs in one value", []want{vague(one)}, with(proved, there("x", -7*24*time.Hour, "Name", "A", "Amount", "11")), "u:x"},
		{"our clock was set back, and nothing is there", []want{vague(one)}, with(proved), "a"},
		{"same values, a minute older, clocks proved", []want{one}, with(proved, there("x", -min, "Name", "A", "Amount", "10")), "u:x"},
		{"the account's clock is four minutes behind", []want{one}, with(shifted(proved, -4*min), there("x", -4*min, "Name", "A", "Amount", "10")), "f:x"},
		{"… and the record is older still", []want{one}, with(shifted(proved, -4*min), there("x", -9*min, "Name", "A", "Amount", "10")), "a"},
		{"the account's clock is four minutes ahead", []want{one}, with(shifted(proved, 4*min), there("x", 4*min, "Name", "A", "Amount", "10")), "f:x"},
		{"… and a record from before the call seems young", []want{one}, with(shifted(proved, 4*min), there("x", min, "Name", "A", "Amount", "10")), "a"},
		{"two records of one row", []want{one}, with(proved, there("x", 0, "Name", "A", "Amount", "10"), there("y", 2*time.Second, "Name", "A", "Amount", "10")), "u:x,y"},
		{"not readable yet", []want{one}, with(proved, hiddenFields(there("x", 0))), "l:x"},
		{"not readable, but a day older", []want{one}, with(proved, hiddenFields(there("x", -24*time.Hour))), "a"},
		{"not readable, seems minutes older, clocks only believed", []want{one}, with(header, hiddenFields(there("x", -5*min))), "l:x"},
		{"not readable, made an hour after the call", []want{one}, with(proved, hiddenFields(there("x", time.Hour))), "a"},
		{"not readable, made two days after the call, clocks only believed", []want{one}, with(header, hiddenFields(there("x", 48*time.Hour))), "l:x"},
		{"most values agree, two days after the call, clocks only believed", []want{asked(0, "", "Name", "A", "Amount", "10", "City", "Pune")}, with(header, there("x", 48*time.Hour, "Name", "A", "Amount", "10", "City", "Goa")), "u:x"},
		{"one fits, another is not readable", []want{one}, with(proved, there("x", 0, "Name", "A", "Amount", "10"), hiddenFields(there("y", 0))), "f:x"},
		{"most values agree", []want{asked(0, "", "Name", "A", "Amount", "10", "City", "Pune")}, with(proved, there("x", 0, "Name", "A", "Amount", "10", "City", "Goa")), "u:x"},
		{"most values agree, an hour older", []want{asked(0, "", "Name", "A", "Amount", "10", "City", "Pune")}, with(proved, there("x", -time.Hour, "Name", "A", "Amount", "10", "City", "Goa")), "a"},
		{"the lead's trail could not be read", []want{one}, func() sight { s := with(proved); s.Blind, s.Later = "no", true; return s }(), "l:"},
		{"… and never will be", []want{one}, func() sight { s := with(proved); s.Blind = "no"; return s }(), "u:"},
		{"blind for one lead, but found", []want{one}, func() sight {
			s := with(proved, there("x", 0, "Name", "A", "Amount", "10"))
			s.Blind = "no"
			return s
		}(), "f:x"},
		{"nothing to compare", []want{asked(0, "")}, with(proved, there("x", 0, "Owner", "someone")), "u:x"},

		{"a field that the row leaves out and its file has", []want{leavesOut(one, "mx_Ref")}, with(proved, there("x", 0, "Name", "A", "Amount", "10", "MX_Ref", "R1")), "u:x"},
		{"a field that the file does not have", []want{leavesOut(one, "mx_Ref")}, with(proved, there("x", 0, "Name", "A", "Amount", "10", "mx_Score", "7", "mx_Ref", " ")), "f:x"},
		{"two rows of which one leaves out a field", []want{leavesOut(one, "mx_Ref"), asked(0, "", "Name", "A", "Amount", "10", "mx_Ref", "R1")},
			with(proved, there("x", 0, "Name", "A", "Amount", "10"), there("y", 0, "Name", "A", "Amount", "10", "mx_Ref", "R1")), "f:x f:y"},

		{"all values agree, on another lead", []want{one}, with(proved, elsewhere(there("x", 0, "Name", "A", "Amount", "10"))), "u:x"},
		{"most values agree, on another lead", []want{asked(0, "", "Name", "A", "Amount", "10", "City", "Pune")}, with(proved, elsewhere(there("x", 0, "Name", "A", "Amount", "10", "City", "Goa"))), "a"},
		{"all values agree, on another lead, an hour later", []want{one}, with(proved, elsewhere(there("x", time.Hour, "Name", "A", "Amount", "10"))), "u:x"},
		{"other values, as they were when it was made", []want{one}, with(proved, untouched(there("x", 0, "Name", "B", "Amount", "20"))), "a"},
		{"one other value, as it was made", []want{one}, with(proved, untouched(there("x", 0, "Name", "A", "Amount", "20"))), "u:x"},
		{"an emptied value and another, as it was made", []want{one}, with(proved, untouched(there("x", 0, "Name", "", "Amount", "20"))), "u:x"},
		{"other values beside as many that agree, as it was made", []want{asked(0, "", "Name", "A", "Amount", "10", "City", "Pune", "Plan", "P1")},
			with(proved, untouched(there("x", 0, "Name", "A", "Amount", "10", "City", "Goa", "Plan", "P2"))), "u:x"},
		{"another status and constants, as it was made", []want{constants(asked(0, "", "Status", "Won", "Source", "File", "Name", "A"), "Source")},
			with(proved, untouched(there("x", 0, "Status", "Open", "Source", "Web", "Name", "Z"))), "u:x"},
		{"a record of the row beside another that is plainly somebody's", []want{one},
			with(proved, there("x", 0, "Name", "A", "Amount", "10"), untouched(there("y", 0, "Name", "B", "Amount", "20"))), "f:x"},
		{"the key agrees, on another lead", []want{key}, with(proved, elsewhere(there("x", 0, "Deal", "D1", "Name", "A"))), "f:x"},

		{"the key agrees", []want{key}, with(proved, there("x", 0, "Deal", "D1", "Name", "A")), "f:x"},
		{"the key agrees, an automation changed the rest", []want{key}, with(proved, there("x", 0, "Deal", "D1", "Name", "Z")), "f:x"},
		{"the key differs, the rest agrees", []want{key}, with(proved, there("x", 0, "Deal", "D2", "Name", "A")), "a"},
		{"the key agrees, clocks only believed and minutes apart", []want{key}, with(header, there("x", -5*min, "Deal", "D1", "Name", "A")), "f:x"},
		{"the key agrees, made long before", []want{key}, with(proved, there("x", -time.Hour, "Deal", "D1", "Name", "A")), "u:x"},
		{"the key in the trail, the rest not readable", []want{key}, with(proved, hiddenFields(there("x", 0, "Deal", "D1"))), "f:x"},
		{"another key in the trail, the rest not readable", []want{key}, with(proved, hiddenFields(there("x", 0, "Deal", "D2"))), "a"},
		{"no key in the trail, the rest not readable", []want{key}, with(proved, hiddenFields(there("x", 0, "Status", "Open"))), "l:x"},
		{"a key of two fields, one differs", []want{asked(0, "Deal Part", "Deal", "D1", "Part", "1")}, with(proved, there("x", 0, "Deal", "D1", "Part", "2")), "a"},
		{"a key of two fields, one is not there, the rest agrees", []want{asked(0, "Deal Part", "Deal", "D1", "Part", "1")}, with(proved, there("x", 0, "Deal", "D1")), "u:x"},

		{"the key is not there, another system's record", []want{key}, with(proved, there("x", 0, "Web", "form")), "a"},
		{"the key is not there, a field agrees and another differs", []want{asked(0, "Deal", "Deal", "D1", "Name", "A", "City", "Goa")}, with(proved, there("x", 0, "Name", "A", "City", "Pune")), "a"},
		{"the key is not there, all the rest agrees", []want{key}, with(proved, there("x", 0, "Name", "A")), "u:x"},
		{"the key is not there, and only the status agrees", []want{asked(0, "Deal", "Deal", "D1", "Status", "Open")}, with(proved, there("x", 0, "Status", "Open", "mx_Custom_2", "99.00")), "a"},
		{"the key agrees, made years ago, clocks only believed", []want{key}, with(header, there("x", -20000*time.Hour, "Deal", "D1", "Name", "A")), "u:x"},
		{"nothing of it is there, an hour older", []want{one}, with(proved, there("x", -time.Hour, "Web", "form")), "a"},
		{"only the status agrees", []want{asked(0, "", "Status", "Open")}, with(proved, there("x", 0, "Status", "Open")), "u:x"},
		{"only constants agree", []want{constants(asked(0, "", "Status", "Open", "Source", "File"), "Source")}, with(proved, there("x", 0, "Status", "Open", "Source", "File")), "u:x"},
		{"a sale of which only the status agrees", []want{asked(0, "", "Status", "Open", "Name", "A")}, with(proved, undated(there("x", 0, "Status", "Open"))), "u:x"},
		{"what was sent is missing from a record that was read whole", []want{one}, with(proved, there("x", 0, "Name", "A")), "u:x"},
		{"same values in the time of another zone, clocks only believed", []want{one}, with(header, there("x", -11*time.Hour/2, "Name", "A", "Amount", "10")), "u:x"},
		{"not readable, in the time of another zone, clocks only believed", []want{one}, with(header, hiddenFields(there("x", -11*time.Hour/2))), "l:x"},
		{"the call was repeated on its way", []want{key}, with(proved, there("x", 0, "Deal", "D1", "Name", "A"), there("y", 0, "Deal", "D1", "Name", "A")), "u:y,x"},

		{"two rows that say the same, both there", []want{one, one}, with(proved, there("x", 0, "Name", "A", "Amount", "10"), there("y", 2*time.Second, "Name", "A", "Amount", "10")), "f:x f:y"},
		{"two rows that say the same, one there", []want{one, one}, with(proved, there("x", 0, "Name", "A", "Amount", "10")), "a f:x"},
		{"two rows that say the same, three there", []want{one, one}, with(proved, there("x", 0, "Name", "A", "Amount", "10"), there("y", 0, "Name", "A", "Amount", "10"), there("z", 0, "Name", "A", "Amount", "10")), "u:z,y,x u:z,y,x"},
		{"the same a minute apart, only the first could have made it", []want{one, func() want { w := one; w.sent = w.sent.Add(min); return w }()},
			with(proved, there("x", 0, "Name", "A", "Amount", "10")), "f:x a"},

		{"a row is a part of another, both there", []want{asked(0, "", "Name", "A"), asked(0, "", "Name", "A", "City", "Goa")},
			with(proved, there("x", 0, "Name", "A", "City", ""), there("y", 0, "Name", "A", "City", "Goa")), "f:x f:y"},
		{"a row is a part of another, only the whole is there", []want{asked(0, "", "Name", "A"), asked(0, "", "Name", "A", "City", "Goa")},
			with(proved, there("y", 0, "Name", "A", "City", "Goa")), "a f:y"},
		{"a row is a part of another, only the part is there", []want{asked(0, "", "Name", "A"), asked(0, "", "Name", "A", "City", "Goa")},
			with(proved, there("x", 0, "Name", "A", "City", "")), "f:x a"},
		{"the account does not show what tells two rows apart, one there", []want{asked(0, "", "Name", "A", "Secret", "1"), asked(0, "", "Name", "A", "Secret", "2")},
			with(proved, there("x", 0, "Name", "A")), "u:x u:x"},
		{"… both there", []want{asked(0, "", "Name", "A", "Secret", "1"), asked(2*time.Second, "", "Name", "A", "Secret", "2")},
			with(proved, there("y", 2*time.Second, "Name", "A"), there("x", 0, "Name", "A")), "u:y,x u:y,x"},
		{"… both there within a second: the trail has the newest first", []want{asked(0, "", "Name", "A", "Secret", "1"), asked(0, "", "Name", "A", "Secret", "2")},
			with(proved, there("y", 0, "Name", "A"), there("x", 0, "Name", "A")), "u:y,x u:y,x"},
		{"three rows, each there, in any order", []want{asked(0, "", "Name", "A"), asked(0, "", "Name", "B"), asked(0, "", "Name", "C")},
			with(proved, there("c", 0, "Name", "C"), there("a", 0, "Name", "A"), there("b", 0, "Name", "B")), "f:a f:b f:c"},
		{"one of them found is no look-alike for the other", []want{asked(0, "", "Name", "A", "City", "Goa"), asked(0, "", "Name", "B", "City", "Goa")},
			with(proved, there("b", 0, "Name", "B", "City", "Goa")), "a f:b"},

		{"a sale without a date, one", []want{one}, with(proved, undated(there("x", 0, "Name", "A", "Amount", "10"))), "f:x"},
		{"a sale without a date, two", []want{one}, with(proved, undated(there("x", 0, "Name", "A", "Amount", "10")), undated(there("y", 0, "Name", "A", "Amount", "10"))), "u:y,x"},
		{"a sale with a date, made before", []want{one}, with(proved, func() target.Record {
			c := there("x", -time.Hour, "Name", "A", "Amount", "10")
			c.Loose = true
			return c
		}()), "a"},
		{"a sale of which nothing can be compared", []want{one}, with(proved, undated(there("x", 0, "Owner", "o"))), "a"},
		{"a sale that looks alike may be the row", []want{asked(0, "", "Name", "A", "Amount", "10", "City", "Pune")}, with(proved, undated(there("x", 0, "Name", "A", "Amount", "10", "City", "Goa"))), "u:x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, d := range decide(c.wants, c.sight) {
				ids := strings.Join(d.ids, ",")
				switch d.kind {
				case found:
					got = append(got, "f:"+ids)
				case absent:
					got = append(got, "a")
				case later:
					got = append(got, "l:"+ids)
				case unsure:
					got = append(got, "u:"+ids)
				}
				if (d.kind == later || d.kind == unsure) && (d.code == "" || d.msg == "" || d.hint == "") {
					t.Errorf("a row is left in doubt without words: %+v", d)
				}
			}
			if g := strings.Join(got, " "); g != c.end {
				t.Errorf("decided %q, want %q", g, c.end)
			}
		})
	}
}

// TestDecideShares says for many rows and records at random that no record is
// given to two rows, and no row is called absent while a record is left that carries what it said.
func TestDecideShares(t *testing.T) {
	for n := range 500 {
		var wants []want
		s := sight{proved: true}
		for i := range 1 + n%5 {
			wants = append(wants, asked(time.Duration(i)*time.Second, "", "Name", string(rune('A'+(n/7+i*n)%3)), "City", []string{"", "Goa"}[(n/3+i)%2]))
		}
		for i := range n % 6 {
			s.Records = append(s.Records, there(fmt.Sprint("r", i), time.Duration(i)*time.Second, "Name", string(rune('A'+(n/5+i*n)%3)), "City", []string{"", "Goa"}[(n/11+i)%2]))
		}
		given := map[string]bool{}
		out := decide(wants, s)
		for _, d := range out {
			if d.kind == found {
				if given[d.ids[0]] {
					t.Fatalf("record %s was given twice: %+v", d.ids[0], out)
				}
				given[d.ids[0]] = true
			}
		}
		for i, d := range out {
			if d.kind != absent {
				continue
			}
			for _, c := range s.Records {
				w := wants[i]
				if !given[c.ID] && c.Fields["Name"] == w.body.Fields[0].Value && c.Fields["City"] == w.body.Fields[1].Value && s.since(c.Created, w.sent) {
					t.Fatalf("row %d is called absent, but %s may be it: %+v", i, c.ID, out)
				}
			}
		}
	}
}
