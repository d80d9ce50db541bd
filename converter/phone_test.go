package converter

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

func TestPhone(t *testing.T) {
	const want = "+91-9876543210"
	rows := []row{
		{name: "marks of an address book", cell: text("\u202a+91 98765 43210\u202c"), want: want},
		{name: "no-break spaces", cell: text("98765\u00a043210"), want: want},
		{name: "number cell", cell: numeric("9876543210"), want: want},
		{name: "number cell with code", cell: numeric("919876543210"), want: want},
		{name: "number cell of a float", cell: numeric("919876543210.0"), want: want},
		{name: "Devanagari digits", cell: text("९८७६५४३२१०"), want: want},
		{name: "landline", cell: text("022-22334455"), want: "+91-2222334455"},
		{name: "area code before a slash", cell: text("022/22334455"), want: "+91-2222334455"},
		{name: "abroad", cell: text("+1 212 555 0123"), want: "+1-2125550123"},
		{name: "abroad with a trunk zero", cell: text("+44 (0)20 7946 0018"), want: "+44-2079460018"},
		{name: "Italian zero", cell: text("+39 06 69812345"), want: "+39-0669812345"},
		{name: "fraction of a number cell", cell: numeric("98765.43210"), code: "phone.format"},
		{name: "negative number cell", cell: numeric("-9876543210"), code: "phone.format"},
		{name: "date cell", cell: serial("46000"), code: "cell.kind"},
		{name: "boolean cell", cell: Cell{Kind: BoolCell, Text: "TRUE"}, code: "cell.kind"},
	}
	for _, s := range []string{"9876543210", "09876543210", "919876543210", "00919876543210", "+919876543210", "+91 98765 43210", "+91-9876543210",
		"(98765) 43210", "98765-43210", "98765.43210", "+91.98765.43210", "tel:+91-98765-43210", "'9876543210", "919876543210.0", "9876543210.00", "98765–43210"} {
		rows = append(rows, row{cell: text(s), want: want})
	}
	for code, texts := range map[string][]string{
		"phone.scientific": {"9.19877E+12", "9.19877e12", "9,19877E+12", "919877E7", "9E+11"},
		"phone.extension":  {"98765 43210 ext 12", "9876543210x12", "9876543210 #12", "9876543210 extn. 5"},
		"phone.several": {"9876543210/9876543211", "9876543210, 9876543211", "9876543210;9876543211", "9876543210 & 9876543211",
			"9876543210\n9876543211", "+919876543210+919876543211", "022-22334455/66", "0/9/8"},
		"phone.format":  {"1800FLOWERS", "n/a", "none", "abc9876543210", "-", "9876543210 (home)", "9876543210 or 9876543211", "+", "9", "x12", "987*6543210", "-9876543119", "−9876543119"},
		"phone.invalid": {"12345", "987654321", "98765432101", "91987654321012", "+1 123 456 7890", "0000000000", "+1 555 0123", "+919876543210000"},
	} {
		for _, s := range texts {
			rows = append(rows, row{cell: text(s), code: code})
		}
	}
	runRows(t, Spec{Type: Phone, Region: "IN"}, rows)
	runRows(t, Spec{Type: Phone}, []row{
		{cell: text("+91 98765 43210"), want: want},
		{cell: text("+1 (212) 555-0123"), want: "+1-2125550123"},
		{cell: text("9876543210"), code: "phone.region"},
		{cell: text("00919876543210"), code: "phone.region"},
		{cell: text("+999 123456"), code: "phone.format"},
	})
}

func TestInvalidPhonesSayWhy(t *testing.T) {
	c := mustNew(t, Spec{Type: Phone, Region: "IN"})
	for in, want := range map[string]string{
		"98765":              "too few digits",
		"+91987654321000000": "too many digits",
		"+1 123 456 7890":    "no network of its country",
	} {
		if _, err := c.Convert(text(in), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", in, err, want)
		}
	}
}

// byLibrary gives the verdict of the library alone.
func byLibrary(s, region string) (string, bool) {
	n, err := phonenumbers.Parse(s, region)
	if err != nil || n.GetExtension() != "" || !phonenumbers.IsValidNumber(n) {
		return "", false
	}
	return "+" + strconv.Itoa(int(n.GetCountryCode())) + "-" + phonenumbers.GetNationalSignificantNumber(n), true
}

// checkQuick demands of the quick way the library's very answer, or none.
func checkQuick(t *testing.T, r *phoneReader, s string) bool {
	t.Helper()
	b, ok := r.quick(nil, s)
	got := string(b)
	if !ok {
		return false
	}
	if want, valid := byLibrary(s, r.region); !valid || got != want {
		t.Fatalf("region %s, %q: the quick way gives %q, the library %q, %v", r.region, s, got, want, valid)
	}
	return true
}

var quickRegions = []string{"IN", "US", "CA", "GB", "AE", "SG", "DE", "AU", "BR", "IT", "FR", "NP", "LK", "BD", "RU", "KZ", "MX", "AR", "CN", "JP", "ZA", "KE", "NG", "SA", ""}

func TestQuickPhonesEqualTheLibrarys(t *testing.T) {
	draw := rand.New(rand.NewPCG(7, 8))
	hits, tried := 0, 0
	for _, region := range quickRegions {
		r, err := newPhoneReader(region)
		if err != nil {
			t.Fatal(err)
		}
		code := fmt.Sprint(phonenumbers.GetCountryCodeForRegion(region))
		for range 25 {
			n := 5 + draw.IntN(9)
			if draw.IntN(3) > 0 {
				n = 10
			}
			digits := make([]byte, n)
			for i := range digits {
				digits[i] = byte('0' + draw.IntN(10))
			}
			national := string(digits)
			// Numbers near to real ones: an example with its last digits changed.
			if draw.IntN(2) == 0 {
				kind := []phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE, phonenumbers.TOLL_FREE, phonenumbers.UAN, phonenumbers.PREMIUM_RATE}[draw.IntN(5)]
				if e := phonenumbers.GetExampleNumberForType(region, kind); e != nil {
					national = phonenumbers.GetNationalSignificantNumber(e)
					keep := draw.IntN(len(national))
					national = national[:keep] + string(digits[:min(n, len(national)-keep)])
				}
			}
			for _, form := range []string{national, "0" + national, code + national, "00" + national, "00" + code + national, "1" + national,
				"8" + national, "+" + code + national, "+" + code + " " + national[:len(national)/2] + "-" + national[len(national)/2:],
				"(" + national[:2] + ") " + national[2:], "+91" + national, "+1" + national, "+44 0" + national, "+" + national} {
				tried++
				if checkQuick(t, r, form) {
					hits++
				}
			}
		}
	}
	if hits < tried/20 {
		t.Errorf("the quick way answered %d of %d: it is hardly tested", hits, tried)
	}
}

// walk draws a text that the automaton accepts, "" if it found none.
func walk(draw *rand.Rand, a *automaton) string {
	if a == nil {
		return ""
	}
	var s []byte
	for state := uint16(1); len(s) < longestNumber; {
		if a.mask[state] != 0 && draw.IntN(2) == 0 {
			break
		}
		// The first living digit from a random one on.
		from, next := draw.IntN(10), uint16(0)
		for i := 0; i < 10 && next == 0; i++ {
			if next = a.next[state][(from+i)%10]; next != 0 {
				s = append(s, byte('0'+(from+i)%10))
			}
		}
		if state = next; state == 0 {
			break
		}
	}
	return string(s)
}

// TestQuickPhonesOfEveryRegion draws numbers, trunk and international
// prefixes from each region's own plan, and sets them together rightly and wrongly.
func TestQuickPhonesOfEveryRegion(t *testing.T) {
	draw := rand.New(rand.NewPCG(11, 12))
	hits, plans := 0, 0
	for region := range phonenumbers.GetSupportedRegions() {
		r, err := newPhoneReader(region)
		if err != nil {
			t.Fatal(err)
		}
		p := r.plan
		if p == nil {
			continue
		}
		plans++
		for range 3 {
			number, prefix, idd := walk(draw, p.kinds), walk(draw, p.prefix), walk(draw, p.idd)
			if number == "" {
				continue
			}
			for _, form := range []string{number, number[:len(number)-1], number + "0", prefix + number, idd + number, idd + p.country + number,
				p.country + number, p.country + prefix + number, prefix + p.country + number, "0" + number, p.trunk + "0" + number,
				"+" + p.country + number, "+" + p.country + prefix + number, "+" + p.country + "0" + number, "+" + p.country + p.country + number,
				walk(draw, p.general), prefix + walk(draw, p.general), p.country + walk(draw, p.general)} {
				if checkQuick(t, r, form) {
					hits++
				}
			}
		}
	}
	if plans < 190 || hits < 1500 {
		t.Errorf("%d regions have a plan, and the quick way answered %d times", plans, hits)
	}
}

// TestQuickPhonesOfIndia walks over all prefixes of Indian mobile numbers.
func TestQuickPhonesOfIndia(t *testing.T) {
	r, err := newPhoneReader("IN")
	if err != nil {
		t.Fatal(err)
	}
	draw := rand.New(rand.NewPCG(9, 10))
	step, hits, misses := 61, 0, 0
	for prefix := 10000; prefix < 100000; prefix += step {
		s := fmt.Sprintf("%d%05d", prefix, draw.IntN(100000))
		if checkQuick(t, r, s) {
			hits++
		} else if _, valid := byLibrary(s, "IN"); valid {
			misses++
		}
	}
	if hits < 500 || misses > hits/20 {
		t.Errorf("the quick way answered %d numbers and left %d valid ones to the library", hits, misses)
	}
}

func TestAutomatonEqualsTheExpressions(t *testing.T) {
	a := newAutomaton([]string{`1(?:2[3-5]|6\d{2})`, `1\d+`, `(?:12|34)?5{2,3}`})
	for s, want := range map[string]uint32{"123": 3, "1666": 3, "129": 2, "1": 0, "55": 4, "34555": 4, "345555": 0, "12": 2, "": 0, "9": 0} {
		if got := a.accepts([]byte(s)); got != want {
			t.Errorf("%q: got %b, want %b", s, got, want)
		}
	}
	for _, odd := range []string{`^1`, `1\b2`, `(`} {
		if newAutomaton([]string{odd}) != nil {
			t.Errorf("%q was compiled, and an automaton of digits cannot hold it", odd)
		}
	}
}
