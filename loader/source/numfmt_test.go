package source

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

func TestDateFormats(t *testing.T) {
	const no, clock, day = "no date", "time", "day"
	for code, want := range map[string]string{
		"General": no, "general": no, "0": no, "0.00": no, "#,##0": no, "#,##0.00;[Red]-#,##0.00": no, "0%": no, "0.00E+00": no, "##0.0E+0": no,
		"0.00e-00": no, "# ?/?": no, "@": no, "00000": no, `+00"-"0000000000`: no, `"Day "0`: no, `0" days"`: no, `0\d`: no, `0\h\ `: no, "[Red]#,##0.00": no,
		"[Green]General": no, "[>=100]0;[<0]-0": no, "[$€-407] #,##0.00": no, "[$INR] #,##0": no, `[$-4009]#,##0`: no, `_(* #,##0_);_(* \(#,##0\)`: no,
		`_-"₹"* #,##0.00_-`: no, "_m0": no, "*d0": no, "": no, ";;;": no, `"unclosed d`: no, "[unclosed d": no, `General;[Red]\-General`: no, "0;-0;;@": no, "#,##0_);[Blue](#,##0)": no,
		"h:mm": clock, "hh:mm:ss": clock, "h:mm AM/PM": clock, "h AM/PM": clock, "h:mm a/p": clock, "mm:ss": clock, "mm:ss.0": clock, "[h]:mm": clock, "[h]:mm:ss": clock,
		"[hh]:mm": clock, "[mm]:ss": clock, "[ss]": clock, "[m]": clock, "s.000": clock, `[$-F400]h:mm:ss\ AM/PM`: clock, `h"h "mm`: clock, `h "o'clock"`: clock, "ss": clock, `hh\:mm;@`: clock,
		"yyyy": day, "dd/mm/yyyy": day, "d-mmm-yy": day, "mmm-yy": day, "mmmm": day, "m": day, "mm": day, "ddd": day, "dddd, mmmm dd, yyyy": day, "m/d/yy h:mm": day,
		"dd/mm/yyyy hh:mm": day, "yyyy-mm-dd hh:mm:ss": day, `yyyy\-mm\-dd;@`: day, `[$-409]d\-mmm\-yy;@`: day, "[$-F800]dddd, mmmm dd, yyyy": day, "[$-14009]dd/mm/yyyy;@": day,
		"[$-D000000]h:mm d": day, `yyyy"年"m"月"d"日"`: day, `[$-411]ge.m.d`: day, "[$-404]e/m/d": day, `[Red]dd\.mm\.yyyy`: day, "yyyymmdd": day, `[DBNum1]yyyy"年"`: day, "D/M/YYYY": day, `"on "dd/mm`: day,
		// Letters of a currency beside places for digits.
		"Rs #,##0.00": no, "Rs. 0": no, "USD #,##0.00": no, "#,##0.00 SGD": no, "AED #,##0": no, "0.00 Dh": no, "MYR #,##0;[Red]MYR -#,##0": no, "#,##0 HUF": no, "# ?/? d": no,
		"Sh ?,??0": no, "0 days": no, "General d": no, "BHD 0.000": no, "m 0,0": no, "0.0 s": no, "s 0": no, `[>=1000]#,##0,"k";0`: no, "#": no, "Rs #,##0.00_);(Rs #,##0.00)": no,
		"ss.00": clock, "[s].000": clock, "h:mm:ss.000": clock, "mm:ss,0": clock, "[h]:mm:ss.0": clock, `h\:mm\:ss.00 AM/PM`: clock,
		`"";yyyy`: day, "dd/mm/yyyy;;": day, "yyyy-mm-dd;0": day, "[<1]h:mm;yyyy-mm-dd": clock,
		"h:mm dd/mm": day, "bbbb": day, "mmm d, h AM/PM": day,
	} {
		f := readFormat(code)
		got := no
		if f.date {
			got = clock
		}
		if f.day {
			got = day
		}
		if got != want {
			t.Errorf("%q is %s, want %s", code, got, want)
		}
	}
	// By number alone.
	for id := range 100 {
		f := formatOf(id, nil)
		want := id >= 14 && id <= 22 || id >= 27 && id <= 36 || id >= 45 && id <= 47 || id >= 50 && id <= 58 || id >= 71 && id <= 81
		if f.date != want || (f.code != "") != want {
			t.Errorf("built-in %d: %+v", id, f)
		}
	}
	// A code in the file wins, as LibreOffice writes it for low numbers.
	if f := formatOf(14, map[int]string{14: "0.00"}); f.date || f.code != "0.00" {
		t.Errorf("%+v", f)
	}
	if f := formatOf(2, map[int]string{2: "yyyy"}); !f.date || !f.day {
		t.Errorf("%+v", f)
	}
}

// A number's text is exact: it is the stored double and no digit longer than
// needed, or the very whole number that is stored.
func TestPlainNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	var cases []string
	for range 5000 {
		v := math.Float64frombits(rng.Uint64())
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		cases = append(cases, strconv.FormatFloat(v, 'G', 17, 64), strconv.FormatFloat(v, 'e', -1, 64))
		v = math.Round(rng.Float64()*1e9) / 100
		cases = append(cases, strconv.FormatFloat(v, 'f', -1, 64), strconv.FormatFloat(v, 'G', 17, 64), strconv.FormatFloat(-v, 'f', 2, 64), strconv.FormatFloat(v, 'f', 8, 64))
		cases = append(cases, strconv.FormatUint(rng.Uint64(), 10), strconv.FormatInt(-int64(rng.Uint32()), 10), "00"+strconv.Itoa(rng.IntN(1000)))
	}
	for _, in := range cases {
		buf := make([]byte, 3, 400)
		out, rest, ok := plainNumber([]byte(in), buf)
		if !ok {
			t.Fatalf("%s is refused", in)
		}
		got := string(out)
		if len(rest) > len(buf) && string(rest[len(buf):]) != got {
			t.Fatalf("%s: %q was appended, %q returned", in, rest[len(buf):], got)
		}
		if strings.Trim(got, "-0123456789.") != "" || got == "" || got == "-0" || strings.HasSuffix(got, ".") || strings.HasPrefix(got, ".") {
			t.Fatalf("%s: %q is not plain", in, got)
		}
		if strings.Contains(got, ".") && strings.HasSuffix(got, "0") {
			t.Fatalf("%s: %q ends in zeros", in, got)
		}
		if whole, isWhole := new(big.Int).SetString(in, 10); isWhole && !strings.HasPrefix(strings.TrimPrefix(in, "-"), "0") {
			if got != whole.String() {
				t.Fatalf("%s became %s", in, got)
			}
			continue
		}
		v, _ := strconv.ParseFloat(in, 64)
		if want := strconv.FormatFloat(v, 'f', -1, 64); got != want {
			t.Fatalf("%s became %s, want %s", in, got, want)
		}
	}
	if len(cases) < 20000 {
		t.Errorf("%d cases", len(cases))
	}
	for _, in := range []string{"", "-", ".", "-.", "+", "e5", "1e", "1e+", "--1", "1-1", "1.2.3", "nan", "NaN", "Inf", "-inf", "infinity", "0x10", "0b1", "1_000", "1,5", "1 5", "１", "1e999", "-1e999", "1f"} {
		if out, _, ok := plainNumber([]byte(in), nil); ok {
			t.Errorf("%q is taken for the number %s", in, out)
		}
	}
}

// The serials of the 1904 system name the same moments in the 1900 system.
func TestShift1904(t *testing.T) {
	for in, want := range map[string]string{"0": "1462", "1": "1463", "46000": "47462", "46000.25": "47462.25", "46000.395833333336": "47462.395833333336", "0.5": "1462.5", "-1": "1461", "-0.5": "1461.5"} {
		got, rest := shift1904([]byte(in), []byte("xx"))
		if string(got) != want || string(rest) != "xx"+want {
			t.Errorf("%s became %s (%s), want %s", in, got, rest, want)
		}
	}
	n := 0
	for serial := 100; serial < 80000; serial += 77 {
		want, err := excelize.ExcelDateToTime(float64(serial), true)
		if err != nil {
			t.Fatal(err)
		}
		out, _ := shift1904([]byte(strconv.Itoa(serial)), nil)
		v, _ := strconv.ParseFloat(string(out), 64)
		got, err := excelize.ExcelDateToTime(v, false)
		if err != nil || !got.Equal(want) {
			t.Fatalf("serial %d is %v, became %v (%v)", serial, want, got, err)
		}
		n++
	}
	if n < 1000 {
		t.Error("too few")
	}
}

// ISO dates become the serials that excelize turns back into the same moment.
func TestISOSerial(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for range 3000 {
		want := time.Date(1900+rng.IntN(300), 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rng.IntN(300*86400)) * time.Second)
		serial, _, ok := isoSerial(want.Format("2006-01-02T15:04:05"), false)
		if !ok {
			t.Fatal(want)
		}
		v, err := strconv.ParseFloat(serial, 64)
		if err != nil {
			t.Fatal(err)
		}
		got, err := excelize.ExcelDateToTime(v, false)
		if err != nil || got.Round(time.Second) != want {
			t.Fatalf("%v became %s, which is %v (%v)", want, serial, got, err)
		}
	}
	for _, bad := range []string{"", "today", "1899-12-31", "2026-02-30", "2026-13-01", "2026-01-01T25:00:00", "20260101", "10000-01-01"} {
		if s, _, ok := isoSerial(bad, false); ok {
			t.Errorf("%q became %s", bad, s)
		}
	}
}
