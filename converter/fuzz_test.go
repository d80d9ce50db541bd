package converter

import (
	"math/big"
	"strings"
	"testing"
	"time"
)

// add adds seeds and demands that there are some: a fuzz target without seeds
// passes without having run.
func add(f *testing.F, seeds ...string) {
	f.Helper()
	if len(seeds) == 0 {
		f.Fatal("there are no seeds")
	}
	for _, s := range seeds {
		f.Add(s)
	}
}

// checkDry demands of Check the error that Convert gave.
func checkDry(t *testing.T, c *Converter, cell Cell, want error) {
	t.Helper()
	if got := c.CheckSeen(cell, nil, &Evidence{}); (got == nil) != (want == nil) || got != nil && got.Error() != want.Error() {
		t.Fatalf("%q: Check finds %v, Convert %v", cell.Text, got, want)
	}
}

// FuzzDateTime demands of every text: no panic, and either a problem or a
// timestamp which, written in the format that read it, reads the same again.
func FuzzDateTime(f *testing.F) {
	add(f, "31/12/2025 23:30", "1/2/2026 9:05", "31/02/2026", "2025-12-31T23:30:15.123+05:30", "2025-12-31", "20251231T2330Z",
		"09-Dec-25 11:59:59 PM", "Tuesday, December 9, 2025", "1767204000", "1767204000123", "46000.979166666664", "60", "-1", "0.5",
		"2026-11-01 01:30", "2026-03-08 02:30", "9999-12-31 23:59:59", "0026-01-01", "१/२/२०२६", "31/12/2025\u202f11:30", "2025-12-31 23:30 -15:59",
		"", "/", "99999999999999999999", "2025-12-31 24:00", "00/00/0000 00:00:00 AM")
	zone := mustZone(f, "America/New_York")
	var all []*Converter
	for _, formats := range [][]string{nil, {"dd/MM/yyyy HH:mm", "dd/MM/yyyy"}, {"d-MMM-yy hh:mm:ss a"}, {"EEEE, MMMM d, yyyy"},
		{"yyyyMMddHHmmss", "yyyyMMdd"}, {"epoch", "epoch-ms"}, {"excel"}, {"yyyy-MM-dd HH:mm Z", "yyyy-MM-dd'T'HH:mm:ss.SSSZ"}} {
		for dst := RejectDST; dst <= Later; dst++ {
			all = append(all, mustNew(f, Spec{Type: DateTime, Formats: formats, Location: zone, DST: dst}))
		}
		if formats == nil || !strings.HasPrefix(formats[0], "epoch") {
			all = append(all, mustNew(f, Spec{Type: Date, Formats: formats}))
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range all {
			for _, kind := range []Kind{TextCell, NumberCell, DateCell} {
				cell, err := Clean(Cell{Kind: kind, Text: s})
				if err != nil || cell.Kind == EmptyCell {
					continue
				}
				got, err := c.Convert(cell, nil)
				checkDry(t, c, cell, err)
				if err != nil {
					if p, ok := err.(*Problem); !ok || p.Msg == "" || p.Hint == "" {
						t.Fatalf("%q: the error %#v", s, err)
					}
					continue
				}
				layout := time.DateTime
				if c.spec.Type == Date {
					layout = time.DateOnly
				}
				at, err := time.Parse(layout, got)
				if err != nil || at.Year() < minYear || at.Year() > maxYear {
					t.Fatalf("%q: %q is no timestamp (%v)", s, got, err)
				}
				var a, b fields
				cell.Text = asciiDigits(cell.Text)
				p, problem := c.dates.fields(cell, &a)
				if problem != nil {
					t.Fatalf("%q: converted, but not read: %v", s, problem)
				}
				if p == nil || p.has[opOffset] || p.word == wordExcel {
					continue
				}
				again := p.render(&a)
				if m := p.read(again, &b); m != fits || a.wall() != b.wall() {
					t.Fatalf("%q by %s: written again as %q, which reads as another time (%d)", s, p.source, again, m)
				}
			}
			c.AmbiguousDayMonth(s)
		}
	})
}

// FuzzPattern demands that a format is refused or can read what it writes.
func FuzzPattern(f *testing.F) {
	add(f, "dd/MM/yyyy HH:mm", "d MMM yy h:mm a", "EEEE, d MMMM yyyy 'at' HH'h'mm", "yyyyMMddHHmmssSSS", "iso", "EPOCH-MS", "DD/MM/YYYY", "''yyyy'年'M月d",
		"dMyyyy", "yyyy-MM-dd'T'HH:mm:ssZ", "'", "%Y", "MMMyyyydd", "d'0'MMyyyy", "dZM yy ' '", "d'  ' MM yyyy", "d' \t'M yy")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := compilePattern(s)
		if err != nil {
			return
		}
		for _, at := range []fields{{year: 2003, month: 2, day: 1, hour: 4, minute: 5, second: 6}, {year: 2012, month: 11, day: 30, hour: 23, minute: 58, second: 57}} {
			// What the pattern does not name is lost.
			if p.word == noWord {
				if !p.has[opSecond] {
					at.second = 0
				}
				if !p.has[opMinute] {
					at.minute = 0
				}
				if !p.has[opHour] && !p.has[opHour12] {
					at.hour = 0
				}
			}
			var got fields
			written := p.render(&at)
			if m := p.read(written, &got); m != fits || got.wall() != at.wall() {
				t.Fatalf("format %q writes %q and reads %d, %+v", s, written, m, got)
			}
		}
	})
}

// FuzzNumber demands of every text: no panic, and either a problem or a
// plain number of the same digits that converts to itself.
func FuzzNumber(f *testing.F) {
	add(f, "0", "-0.00", "1,234.50", "1,20,000.50", "1.234,56", "(₹ 1,200.00)", "500/-", "12.5%", "1.5E+3", "Rs. 5", "5 USD", "−5", ".5", "5.", "1 234", "1'234'567",
		"१,२३४", "--5", "US$ 5", "99999999999999.99", "0.30000000000000004", "9007199254740993", "", "%", "()", "1,2,3", strings.Repeat("9", 61), "1."+strings.Repeat("7", 29)+"%")
	point, comma := mustNew(f, Spec{Type: Number}), mustNew(f, Spec{Type: Number, Decimal: ','})
	whole := mustNew(f, Spec{Type: Integer})
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range []*Converter{point, comma} {
			got, err := c.Convert(text(s), nil)
			if err != nil {
				if p, ok := err.(*Problem); !ok || p.Msg == "" || p.Hint == "" {
					t.Fatalf("%q: the error %#v", s, err)
				}
				continue
			}
			if !plainNumber(got) {
				t.Fatalf("%q: %q is not in plain form", s, got)
			}
			if again, err := point.Convert(text(got), nil); again != got || err != nil {
				t.Fatalf("%q: %q converts to %q, %v", s, got, again, err)
			}
			written, kept := phoneDigits(asciiDigits(s)), phoneDigits(got)
			if strings.Contains(s, "%") {
				written, kept = strings.TrimRight(written, "0"), strings.TrimRight(kept, "0")
			}
			if strings.TrimLeft(written, "0") != strings.TrimLeft(kept, "0") {
				t.Fatalf("%q: %q has other digits", s, got)
			}
			if negative := strings.ContainsAny(s, "(-−") && !strings.Contains(s, "/-"); negative != strings.HasPrefix(got, "-") && strings.Trim(kept, "0") != "" && negative {
				t.Fatalf("%q: %q has lost its sign", s, got)
			}
		}
		if got, err := whole.Convert(text(s), nil); err == nil {
			number, err := point.Convert(text(s), nil)
			a, _ := new(big.Rat).SetString(got)
			b, _ := new(big.Rat).SetString(number)
			if err != nil || a.Cmp(b) != 0 || !a.IsInt() {
				t.Fatalf("%q: the integer %q and the number %q, %v", s, got, number, err)
			}
		}
		// A number cell may lose noise, and nothing else.
		if got, err := point.Convert(numeric(s), nil); err == nil && plainNumber(s) {
			a, _ := new(big.Rat).SetString(got)
			b, _ := new(big.Rat).SetString(s)
			if b.Sign() == 0 {
				return
			}
			off := new(big.Rat).Sub(a, b)
			if off.Quo(off, b).Abs(off).Cmp(big.NewRat(5, 1e15)) > 0 {
				t.Fatalf("number cell %q became %q", s, got)
			}
		}
	})
}

// FuzzPhone demands of every text: no panic, and either a problem or a number
// that converts to itself, whose digits end the digits that were written,
// and which is the library's own answer wherever the quick way gave it.
func FuzzPhone(f *testing.F) {
	add(f, "9876543210", "+91 98765 43210", "09876543210", "919876543210", "00919876543210", "(022) 2233-4455", "+44 (0)20 7946 0018", "+39 06 698",
		"9.19877E+12", "919876543210.0", "9876543210 ext 5", "9876543210/11", "tel:+91-98765-43210", "'98765", "-9876543210", "+1 800 FLOWERS", "९८७६५४३२१०",
		"", "+", "++91", "0", "\u202a+919876543210\u202c", "180020123456", "+7 701 234 5678", "+8001234567890")
	var readers []*Converter
	for _, region := range []string{"IN", "US", "GB", "DE", "IT", "AR", "MX", ""} {
		readers = append(readers, mustNew(f, Spec{Type: Phone, Region: region}))
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range readers {
			checkQuick(t, c.phones, s)
			for _, kind := range []Kind{TextCell, NumberCell} {
				cell, err := Clean(Cell{Kind: kind, Text: s})
				if err != nil || cell.Kind == EmptyCell {
					continue
				}
				got, err := c.Convert(cell, nil)
				checkDry(t, c, cell, err)
				if err != nil {
					if p, ok := err.(*Problem); !ok || p.Msg == "" || p.Hint == "" {
						t.Fatalf("%q: the error %#v", s, err)
					}
					continue
				}
				again, err := c.Convert(text(got), nil)
				if again != got || err != nil {
					t.Fatalf("region %q, %q: %q converts to %q, %v", c.spec.Region, s, got, again, err)
				}
				// Some numbers of Mexico and Argentina are rearranged by their country's rules.
				_, national, _ := strings.Cut(got, "-")
				written := phoneDigits(asciiDigits(strings.TrimSuffix(strings.TrimRight(cell.Text, "0"), ".")))
				if c.spec.Region == "IN" && strings.HasPrefix(got, "+91-") && !strings.HasSuffix(strings.TrimRight(written, "0"), strings.TrimRight(national, "0")) {
					t.Fatalf("%q: %q has other digits", s, got)
				}
			}
		}
	})
}

// FuzzEmail demands that what the quick way takes for an address is one, and
// that an address converts to itself.
func FuzzEmail(f *testing.F) {
	add(f, "asha@example.com", "a.b+c@sub.example.co.in", "a@b", "a@@b.com", ".a@b.com", "a..b@c.com", "a@-b.com", "a@b-.com", "a@b.1", "a@1.b2", "ü@b.com", "a@bücher.de",
		"a b@c.com", "Asha <a@b.com>", "mailto:a@b.com", "a@b.com, c@d.com", "", "@", strings.Repeat("a", 65)+"@b.com", "a@"+strings.Repeat("b", 64)+".com")
	c := mustNew(f, Spec{Type: Email})
	f.Fuzz(func(t *testing.T, s string) {
		if why := emailFault(s); plainEmail(s) && why != "" {
			t.Fatalf("%q is taken for an address, and %s", s, why)
		}
		if got, err := c.Convert(text(s), nil); err == nil && got != s {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

// FuzzClean demands that cleaning twice changes nothing more, and that what
// is seen stays.
func FuzzClean(f *testing.F) {
	add(f, "abc", "  a b ", "a\u00a0b", "\ufeffa\u200b", "क्\u200dष", "א\u200fב", "a\x00b", "\xff", "a\u200d\u200db", "\u200d \u200d", "a \u200b b")
	f.Fuzz(func(t *testing.T, s string) {
		once, err := Clean(text(s))
		if err != nil {
			return
		}
		twice, err := Clean(once)
		if err != nil || twice != once {
			t.Fatalf("%q: cleaned %q, cleaned again %q, %v", s, once.Text, twice.Text, err)
		}
		if seen(s) != seen(once.Text) {
			t.Fatalf("%q: %q shows other characters", s, once.Text)
		}
	})
}

// seen gives the characters of a text that can be seen.
func seen(s string) string {
	return strings.Map(func(r rune) rune {
		if trimmed(r) {
			return -1
		}
		return r
	}, s)
}

// phoneDigits returns the digits of a phone number.
func phoneDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}
