package loader

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"leadload/internal/sandbox"
	"leadload/loader/ledger"
	"leadload/loader/plan"
	"leadload/loader/source"
	"leadload/loader/target"
	"leadload/loader/words"
)

// The same key three times: composed, decomposed, and half of each.
const (
	composedKey   = "Gía-ế-1"
	decomposedKey = "Gi\u0301a-e\u0302\u0301-1"
	mixedKey      = "Gía-\u00ea\u0301-1"
)

// TestSpellingsOfAKey says that keys which differ in the way accents are composed are one
// row, in one file and over nights, and that the account gets the key as it is written.
func TestSpellingsOfAKey(t *testing.T) {
	if norm.NFC.String(decomposedKey) != composedKey || norm.NFC.String(mixedKey) != composedKey || norm.NFD.String(composedKey) != decomposedKey {
		t.Fatal("the keys are not spellings of one")
	}
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{Deletable: true})
		defer b.close()
		b.mapping = strings.Replace(dealMapping, "mx_Custom_1: Name", "mx_Custom_1: Name\n    mx_Custom_12: Deal", 1)
		row := func(key string) string { return key + ",a@example.com,A" }
		res, err := b.load(t.Context(), b.deals(row(decomposedKey), row(composedKey), row(mixedKey), "D2,b@example.com,B"))
		if err != nil || res.Totals[ledger.ResultLoaded] != 2 || res.Totals[ledger.ResultRepeated] != 2 {
			t.Fatalf("%v, %s", err, res.Totals)
		}
		sent := b.account.Opportunities()
		if len(sent) != 2 || sent[0].Fields["mx_Custom_12"] != decomposedKey && sent[1].Fields["mx_Custom_12"] != decomposedKey {
			t.Errorf("what was sent is not as it is written: %+v", sent)
		}
		for name, key := range map[string]string{"composed": composedKey, "decomposed": decomposedKey, "mixed": mixedKey} {
			if found, err := ledger.Named(t.Context(), b.led, 1, key); err != nil || len(found) != 1 {
				t.Errorf("%s: by its key: %v, %v", name, found, err)
			}
			got, _, err := b.verify(b.deals(row(key)))
			if err != nil || got.Totals.N[words.NotLoaded] != 0 {
				t.Errorf("%s: verify: %v, %s", name, err, got.Totals)
			}
			again, err := b.load(t.Context(), b.deals(row(key)))
			if n := again.Totals[ledger.ResultAlready] + again.Totals[ledger.ResultChanged]; err != nil || n != 1 {
				t.Errorf("%s: %v, %s", name, err, again.Totals)
			}
		}
		// The ledger is lost, and the file has another spelling than the account.
		b.lose()
		path := b.deals(row(composedKey))
		for i, want := range []int{words.Adopted, words.KnownBefore} {
			if got, err := b.adopt(path, false); err != nil || got.Totals.N[want] != 1 {
				t.Errorf("adopt %d: %v, %s", i+1, err, got.Totals)
			}
		}
		again, err := b.load(t.Context(), b.deals(row(decomposedKey)))
		if n := again.Totals[ledger.ResultAlready] + again.Totals[ledger.ResultChanged]; err != nil || n != 1 {
			t.Errorf("after an adopt: %v, %s", err, again.Totals)
		}
		if n := len(b.account.Opportunities()); n != 2 {
			t.Errorf("%d records", n)
		}
	})
}

// TestSpellingsOfAnOlderLedger says that rows which a ledger of an earlier version knows by
// their key as it was written then are not sent again, whichever spelling a file has now.
func TestSpellingsOfAnOlderLedger(t *testing.T) {
	for _, c := range []struct {
		name   string
		known  []string // keys by which the older ledger knows rows
		now    []string
		result string // of the import
	}{
		{"decomposed, and still so", []string{decomposedKey}, []string{decomposedKey}, "loaded 0 · updated 0 · already 1 "},
		{"decomposed, composed now", []string{decomposedKey}, []string{composedKey}, "loaded 0 · updated 0 · already 1 "},
		{"decomposed, both now", []string{decomposedKey}, []string{composedKey, decomposedKey}, "loaded 0 · updated 0 · already 1 "},
		{"composed, decomposed now", []string{composedKey}, []string{decomposedKey}, "loaded 0 · updated 0 · already 1 "},
		{"mixed, and still so", []string{mixedKey}, []string{mixedKey}, "loaded 0 · updated 0 · already 1 "},
		{"two records, and still so", []string{composedKey, decomposedKey}, []string{composedKey, decomposedKey}, "loaded 0 · updated 0 · already 2 "},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.olderLedger(c.known)
			var now []string
			for _, key := range c.now {
				now = append(now, key+",a@example.com,A")
			}
			path := b.deals(now...)
			f, err := source.Open(path, source.Options{})
			check(t, err)
			checked, err := Check(t.Context(), CheckJob{Job: Job{Input: "deals.csv", File: f, Mapping: parseMapping(t, b.mapping)}, Account: b.o.Account, Ledger: b.led})
			if err = errors.Join(err, f.Close()); err != nil || checked.Plan.Rows[ledger.ResultWouldSend] != 0 {
				t.Errorf("a check would send it: %v, %s", err, checked.Plan.Rows)
			}
			res, err := b.load(t.Context(), path)
			if err != nil || !strings.HasPrefix(res.Totals.String(), c.result) || len(b.account.Opportunities()) != 0 {
				t.Errorf("%v, %s, %d were sent", err, res.Totals, len(b.account.Opportunities()))
			}
		})
	}
}

// olderLedger writes rows down as a version did that took a key as it was written.
func (b *bench) olderLedger(keys []string) {
	b.t.Helper()
	var rows []string
	for _, key := range keys {
		rows = append(rows, key+",a@example.com,A")
	}
	m := parseMapping(b.t, b.mapping)
	f, err := source.Open(b.deals(rows...), source.Options{})
	check(b.t, err)
	program, err := m.Compile(f.Header(), f.Positions()...)
	check(b.t, err)
	ex := plan.NewExaminer(m, program.Runner())
	var list []ledger.Adopted
	for row, err := range f.Rows() {
		check(b.t, err)
		e := ex.Entry(row)
		e.KeyText, e.Identity = strings.Clone(e.KeyText), ledger.HashIdentity(keys[len(list)])
		e.Ident = e.IdentOf(1)
		list = append(list, ledger.Adopted{Entry: e, State: ledger.Loaded, ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", len(list)+1)})
	}
	check(b.t, f.Close())
	s := b.connect()
	defer func() { check(b.t, s.Close()) }()
	scope, err := b.led.Scope(context.Background(), s.acct, target.For(m.Target).Scope(m).String())
	check(b.t, err)
	n, err := b.led.Adopt(context.Background(), scope, list)
	if err != nil || n != int64(len(list)) {
		b.t.Fatal(n, err)
	}
}

// TestSpellingsInResults takes results files of two spellings for one row.
func TestSpellingsInResults(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		res, err := b.load(t.Context(), b.deals(decomposedKey+",a@example.com,A"))
		check(t, err)
		made := b.rows(res)[0]
		line := func(key string) string {
			return fmt.Sprintf("2,%s,loaded,,,%s,a@example.com,A,%s,%s,1,2026-01-31 10:00:00\n", key, key, made.ID, made.LeadID)
		}
		b.lose()
		for i, c := range []struct {
			key    string
			result int
		}{{decomposedKey, words.WrittenDown}, {composedKey, words.InLedger}, {mixedKey, words.InLedger}} {
			if got, _, err := b.restore(line(c.key)); err != nil || got.Totals.N[c.result] != 1 {
				t.Errorf("%d: %v, %s", i, err, got.Totals)
			}
		}
		again, err := b.load(t.Context(), b.deals(composedKey+",a@example.com,A"))
		if err != nil || again.Totals[ledger.ResultAlready] != 1 || len(b.account.Opportunities()) != 1 {
			t.Errorf("%v, %s", err, again.Totals)
		}
	})
}
