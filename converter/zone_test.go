package converter

import (
	"bufio"
	"compress/gzip"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

func mustZone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// TestLocalTimesEqualZoneinfo holds Convert against the answers of Python's
// zoneinfo; testdata/localtimes.py made them.
func TestLocalTimesEqualZoneinfo(t *testing.T) {
	f, err := os.Open("testdata/localtimes.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	converters := map[string][3]*Converter{}
	lines, gaps, overlaps := 0, map[string]int{}, map[string]int{}
	for s := bufio.NewScanner(z); s.Scan(); {
		lines++
		part := strings.Split(s.Text(), ",")
		zone, wall, want := part[0], part[1], part[2:]
		c, ok := converters[zone]
		if !ok {
			for dst := RejectDST; dst <= Later; dst++ {
				c[dst] = mustNew(t, Spec{Type: DateTime, Formats: []string{"yyyy-MM-dd HH:mm:ss"}, Location: mustZone(t, zone), DST: dst})
			}
			converters[zone] = c
		}
		cell := Cell{Kind: TextCell, Text: wall}
		for dst := RejectDST; dst <= Later; dst++ {
			got, err := c[dst].Convert(cell, nil)
			switch {
			case len(want) == 0:
				wantProblem(t, zone+" "+wall, err, "datetime.gap")
			case len(want) == 2 && dst == RejectDST:
				wantProblem(t, zone+" "+wall, err, "datetime.overlap")
				if p, ok := err.(*Problem); ok && (!strings.Contains(p.Hint, want[0]) || !strings.Contains(p.Hint, want[1])) {
					t.Errorf("%s %s: the hint %q does not name %v", zone, wall, p.Hint, want)
				}
			default:
				expect := want[0]
				if dst == Later {
					expect = want[len(want)-1]
				}
				if err != nil || got != expect {
					t.Errorf("%s %s: got %q, %v, want %q", zone, wall, got, err, expect)
				}
			}
		}
		switch len(want) {
		case 0:
			gaps[zone]++
		case 2:
			overlaps[zone]++
		}
	}
	if lines < 10000 || len(converters) != 12 {
		t.Errorf("the file has %d lines for %d zones, want at least 10000 for 12", lines, len(converters))
	}
	for _, zone := range []string{"America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo"} {
		if gaps[zone] < 16 || overlaps[zone] < 16 {
			t.Errorf("%s: only %d gaps and %d overlaps were seen", zone, gaps[zone], overlaps[zone])
		}
	}
	for _, zone := range []string{"Asia/Kathmandu", "Asia/Kolkata"} {
		if overlaps[zone] > 0 {
			t.Errorf("%s has overlaps, and its clocks have not changed in these years", zone)
		}
	}
}

// TestResolveInvertsTheClock goes the other way: each moment must be among
// those that its own wall clock resolves to, in every zone that we suggest.
func TestResolveInvertsTheClock(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	from, to := time.Date(1901, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2160, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for _, name := range suggestedZones {
		loc := mustZone(t, name)
		z := newZoneTable(loc)
		for range 400 {
			unix := from + draw.Int64N(to-from)
			_, offset := time.Unix(unix, 0).In(loc).Zone()
			n, first, last, _, _ := z.resolve(unix + int64(offset))
			if n == 0 || n > 2 || first != unix && last != unix {
				t.Fatalf("%s: %s resolves to %d moments, %d and %d, want %d", name, time.Unix(unix, 0).In(loc), n, first, last, unix)
			}
		}
	}
}

func TestLastDayOfALeapYearUnderAnEndlessRule(t *testing.T) {
	c := mustNew(t, Spec{Type: DateTime, Location: mustZone(t, "America/New_York")})
	for text, want := range map[string]string{
		"2040-12-31 12:00": "2040-12-31 17:00:00",
		"2096-12-31 23:59": "2097-01-01 04:59:00",
		"2140-12-31 12:00": "2140-12-31 17:00:00",
		"2140-07-01 12:00": "2140-07-01 16:00:00",
	} {
		if got, err := c.Convert(Cell{Kind: TextCell, Text: text}, nil); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestGapAndOverlapSayWhatHappened(t *testing.T) {
	for _, tc := range []struct{ name, zone, text, code, msg, hint string }{
		{"an hour forward", "America/New_York", "2026-03-08 02:30:00", "datetime.gap",
			`"2026-03-08 02:30:00" does not exist in America/New_York: clocks go from 02:00:00 to 03:00:00`, "America/New_York"},
		{"half an hour forward", "Australia/Lord_Howe", "2026-10-04 02:15", "datetime.gap", "from 02:00:00 to 02:30:00", "timezone"},
		{"midnight", "America/Sao_Paulo", "2018-11-04", "datetime.gap", "from 00:00:00 to 01:00:00", "timezone"},
		{"a whole day", "Pacific/Apia", "2011-12-30 12:00", "datetime.gap", "from 2011-12-30 00:00:00 to 2011-12-31 00:00:00", "timezone"},
		{"an hour back", "America/New_York", "2026-11-01 01:30:00", "datetime.overlap", `"2026-11-01 01:30:00" comes twice in America/New_York`,
			"dst: earlier (2026-11-01 05:30:00 UTC) or dst: later (2026-11-01 06:30:00 UTC)"},
		{"half an hour back", "Australia/Lord_Howe", "2026-04-05 01:45", "datetime.overlap", "comes twice",
			"earlier (2026-04-04 14:45:00 UTC) or dst: later (2026-04-04 15:15:00 UTC)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := mustNew(t, Spec{Type: DateTime, Location: mustZone(t, tc.zone)})
			_, err := c.Convert(Cell{Kind: TextCell, Text: tc.text}, nil)
			wantProblem(t, tc.text, err, tc.code)
			p, ok := err.(*Problem)
			if !ok {
				return
			}
			if !strings.Contains(p.Msg, tc.msg) || !strings.Contains(p.Hint, tc.hint) {
				t.Errorf("got %q with the hint %q, want %q and %q", p.Msg, p.Hint, tc.msg, tc.hint)
			}
		})
	}
}

func TestZoneOfAColumnStandsInForTheFields(t *testing.T) {
	c := mustNew(t, Spec{Type: DateTime, Location: mustZone(t, "Asia/Kolkata")})
	cell := Cell{Kind: TextCell, Text: "2026-07-01 12:00"}
	for name, want := range map[string]string{"": "2026-07-01 06:30:00", "Asia/Kathmandu": "2026-07-01 06:15:00", "America/New_York": "2026-07-01 16:00:00"} {
		var loc *time.Location
		if name != "" {
			loc = mustZone(t, name)
		}
		for range 2 {
			if got, err := c.Convert(cell, loc); got != want || err != nil {
				t.Errorf("zone %q: got %q, %v, want %q", name, got, err, want)
			}
		}
	}
	// A caller that loads its zone for each row must not make the memo grow.
	for i := range 3 * zoneMemoSize {
		c.Convert(cell, time.FixedZone("x", i))
	}
	if n := len(*c.dates.zones.tables.Load()); n > zoneMemoSize {
		t.Errorf("the memo holds %d zones, want at most %d", n, zoneMemoSize)
	}
}

func TestLoadZone(t *testing.T) {
	for _, name := range []string{"UTC", "Asia/Kolkata", "America/Argentina/Buenos_Aires"} {
		if loc, err := LoadZone(name); err != nil || loc.String() != name {
			t.Errorf("%s: got %v, %v", name, loc, err)
		}
	}
	for name, want := range map[string]string{
		"Asia/Kolkatta": "did you mean Asia/Kolkata?",
		"Kolkata":       "did you mean Asia/Kolkata?",
		"asia/kolkata ": "unknown time zone",
		"IST":           "means different zones",
		"Local":         "differs from machine to machine",
		"":              "is missing",
		"../../secret":  "unknown time zone",
		"Mars/Olympus":  "unknown time zone",
		"+05:30":        "unknown time zone",
	} {
		if loc, err := LoadZone(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v, want %q", name, loc, err, want)
		}
	}
}

func TestSuggestedZonesExist(t *testing.T) {
	for _, name := range suggestedZones {
		mustZone(t, name)
	}
}

// TestZonesOfToday has the zones whose clocks changed their rules in 2026, as
// the news of tzdata 2026a to 2026f tells them, and neighbours that did not.
func TestZonesOfToday(t *testing.T) {
	cases := []struct{ zone, local, utc string }{
		// Morocco and Western Sahara stay at +00 from 20 September 2026 on.
		{"Africa/Casablanca", "2026-07-01 09:00", "2026-07-01 08:00:00"},
		{"Africa/Casablanca", "2026-11-20 09:00", "2026-11-20 09:00:00"},
		{"Africa/El_Aaiun", "2026-11-20 09:00", "2026-11-20 09:00:00"},
		{"Africa/Casablanca", "2027-07-01 09:00", "2027-07-01 09:00:00"},
		// British Columbia, Alberta, the Northwest Territories, Manitoba and
		// north-western Ontario do not set their clocks back in November 2026.
		{"America/Vancouver", "2026-11-01 01:30", "2026-11-01 08:30:00"},
		{"America/Vancouver", "2026-11-20 09:00", "2026-11-20 16:00:00"},
		{"America/Edmonton", "2026-11-20 09:00", "2026-11-20 15:00:00"},
		{"America/Yellowknife", "2026-11-20 09:00", "2026-11-20 15:00:00"},
		{"America/Inuvik", "2026-11-20 09:00", "2026-11-20 15:00:00"},
		{"America/Winnipeg", "2026-11-20 09:00", "2026-11-20 14:00:00"},
		{"America/Rainy_River", "2026-11-20 09:00", "2026-11-20 14:00:00"},
		{"Canada/Pacific", "2026-11-20 09:00", "2026-11-20 16:00:00"},
		{"Canada/Mountain", "2026-11-20 09:00", "2026-11-20 15:00:00"},
		{"Canada/Central", "2026-11-20 09:00", "2026-11-20 14:00:00"},
		// Cuba keeps -04 through the winter of 2026.
		{"America/Havana", "2026-11-20 09:00", "2026-11-20 13:00:00"},
		// Moldova changes with the European Union: at 01:00 UTC, not at midnight.
		{"Europe/Chisinau", "2026-03-29 02:30", "2026-03-29 00:30:00"},
		{"Europe/Tiraspol", "2026-03-29 02:30", "2026-03-29 00:30:00"},
		// Neighbours keep their rules.
		{"America/Los_Angeles", "2026-11-20 09:00", "2026-11-20 17:00:00"},
		{"America/Regina", "2026-11-20 09:00", "2026-11-20 15:00:00"},
		{"America/Toronto", "2026-11-20 09:00", "2026-11-20 14:00:00"},
		{"America/New_York", "2026-11-20 09:00", "2026-11-20 14:00:00"},
		{"Europe/Lisbon", "2026-11-20 09:00", "2026-11-20 09:00:00"},
		{"Europe/Bucharest", "2026-11-20 09:00", "2026-11-20 07:00:00"},
		{"Asia/Kolkata", "2026-11-20 09:00", "2026-11-20 03:30:00"},
		// A change that only the full form of the compiled zones has.
		{"America/Ojinaga", "2022-11-02 09:00", "2022-11-02 15:00:00"},
	}
	for _, tc := range cases {
		c := mustNew(t, Spec{Type: DateTime, Location: mustZone(t, tc.zone)})
		got, err := c.Convert(Cell{Kind: TextCell, Text: tc.local}, nil)
		if err != nil || got != tc.utc {
			t.Errorf("%s in %s is %q, %v; want %q", tc.local, tc.zone, got, err, tc.utc)
		}
	}
}
