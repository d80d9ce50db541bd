package ledger

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// digestOf makes the digest of pairs of names and values.
func digestOf(canonical func(string) string, pairs ...string) Digest {
	d := Digester{Canonical: canonical}
	return d.Digest(len(pairs)/2, func(i int) (string, string) { return pairs[2*i], pairs[2*i+1] })
}

// TestDigesterRemembersNothingOfOtherRows makes the digests of several rows with
// one digester and each with its own. The values lie in one buffer, as a mapping's do.
func TestDigesterRemembersNothingOfOtherRows(t *testing.T) {
	one, buf := Digester{Canonical: strings.ToLower}, make([]byte, 0, 16)
	for _, row := range [][]string{{"A", "", "B", "x"}, {"A", "", "B", "X"}, {"A", "Won", "B", "X"}, {"A", "Wom", "B", ""}, {"A", "Wom", "B", "", "C", "x"}, {"A", "x", "B", "Wom"}} {
		got := one.Digest(len(row)/2, func(i int) (string, string) {
			buf = append(buf[:0], row[2*i+1]...)
			return row[2*i], unsafe.String(unsafe.SliceData(buf), len(buf))
		})
		if want := digestOf(strings.ToLower, row...); !reflect.DeepEqual(got, want) {
			t.Errorf("%q after other rows: %+v, want %+v", row, got, want)
		}
	}
}

// TestDecideInTheRecordsForm compares a row with records of this version and of
// older ones, which have prints of values as they were sent.
func TestDecideInTheRecordsForm(t *testing.T) {
	loaded := []string{"Name", "Asha", "City", "Pune"}
	for _, c := range []struct {
		name   string
		row    []string
		old    Verdict // beside a record of an older ledger
		now    Verdict
		fields string
	}{
		{"the same", loaded, Already, Already, ""},
		{"another spelling", []string{"Name", "ASHA", "City", "Pune"}, Changing, Already, "Name"},
		{"another value", []string{"Name", "Asha", "City", "Delhi"}, Changing, Changing, "City"},
		{"an empty cell", []string{"Name", "Asha"}, Already, Already, ""},
		{"a field more", []string{"Name", "Asha", "City", "Pune", "Zip", "1"}, Changing, Changing, "Zip"},
		{"another order", []string{"City", "Pune", "Name", "Asha"}, Already, Already, ""},
	} {
		for _, form := range []Form{Raw, Canonical} {
			was := digestOf(strings.ToLower, loaded...)
			known := &Record{ID: 1, Fate: Present, Names: was.Names, Prints: was.Prints, Form: form, Remote: "r"}
			copy(known.Body[:], was.Body[:])
			want := c.now
			if form == Raw {
				known.Prints, want = was.Raw, c.old
			}
			e := Entry{HasKey: true, Digest: digestOf(strings.ToLower, c.row...)}
			Decide(&e, known, 0, &Policy{Update: true})
			if e.Verdict != want {
				t.Errorf("%s, form %d: verdict %d, want %d", c.name, form, e.Verdict, want)
			}
			if e.Verdict == Changing && (len(e.Differs) != 1 || e.Digest.Names[e.Differs[0]] != c.fields) {
				t.Errorf("%s, form %d: differs %v, want %s", c.name, form, e.Differs, c.fields)
			}
		}
	}
}

func TestDecideByPolicy(t *testing.T) {
	was := digestOf(nil, "Name", "a", "Status", "Open", "Email", "x@example.com", "Batch", "1")
	policy := func(update bool) *Policy {
		return &Policy{Update: update, Ignored: func(f string) bool { return f == "Batch" }, Refused: func(f string) (string, bool) {
			switch f {
			case "Status":
				return "the account does not take it", false
			case "Email":
				return "another lead", true
			}
			return "", false
		}}
	}
	for _, c := range []struct {
		name     string
		row      []string
		changing State
		report   Verdict
		update   Verdict
		msg      string // of the update's plan
	}{
		{"ignored alone", []string{"Name", "a", "Batch", "2"}, 0, Already, Already, ""},
		{"one that is written", []string{"Name", "b", "Batch", "2"}, 0, Changed, Changing, ""},
		{"one that is not taken", []string{"Name", "a", "Status", "Won"}, 0, Changed, Changed, "Status: the account does not take it"},
		{"both", []string{"Name", "b", "Status", "Won"}, 0, Changed, Changing, ""},
		{"another lead blocks all", []string{"Name", "b", "Status", "Won", "Email", "y@example.com"}, 0, Changed, Changed, "Email: another lead"},
		{"one in doubt is asked about first", []string{"Name", "a"}, InDoubt, Changing, Changing, ""},
		{"one that ended is over", []string{"Name", "b"}, Rejected, Changed, Changing, ""},
	} {
		for _, update := range []bool{false, true} {
			known := &Record{ID: 1, Fate: Present, Names: was.Names, Prints: was.Prints, Form: Canonical, Remote: "r", Changing: c.changing}
			e := Entry{HasKey: true, Digest: digestOf(nil, c.row...)}
			Decide(&e, known, 0, policy(update))
			want := c.report
			if update {
				want = c.update
			}
			if e.Verdict != want || update && !strings.Contains(e.Msg, c.msg) || e.Verdict == Changed && e.Hint == "" {
				t.Errorf("%s, update %v: verdict %d, want %d: %s", c.name, update, e.Verdict, want, e.Msg)
			}
		}
	}
}
