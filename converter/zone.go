package converter

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"leadload/converter/zonedata"
)

// LoadZone returns a zone of the time zone database by its name, such as
// "Asia/Kolkata". ZoneRelease names the release that it comes from. Names that
// mean another zone on another machine ("Local") or to another reader ("IST",
// "EST") are refused, and the error says what to write instead.
func LoadZone(name string) (*time.Location, error) {
	const hint = "use a name such as Asia/Kolkata, America/New_York or UTC"
	switch {
	case name == "":
		return nil, fmt.Errorf("a time zone is missing: %s", hint)
	case strings.EqualFold(name, "UTC") || strings.EqualFold(name, "Etc/UTC"):
		return time.UTC, nil
	case strings.EqualFold(name, "Local"):
		return nil, fmt.Errorf("time zone %q differs from machine to machine: %s", name, hint)
	case !strings.Contains(name, "/"):
		if meant := abbreviations[strings.ToUpper(name)]; meant != "" {
			return nil, fmt.Errorf("time zone %q means different zones to different readers: write %s", name, meant)
		}
		if len(name) <= 5 {
			return nil, fmt.Errorf("unknown time zone %q: %s", name, hint)
		}
	}
	loc, err := zonedata.Load(name)
	if err == nil {
		return loc, nil
	}
	if near := nearestZone(name); near != "" {
		return nil, fmt.Errorf("unknown time zone %q: did you mean %s?", name, near)
	}
	return nil, fmt.Errorf("unknown time zone %q: %s", name, hint)
}

// ZoneRelease returns the release of the time zone database that LoadZone
// reads: the newer of the program's own and the machine's.
func ZoneRelease() zonedata.Release { return zonedata.Current() }

var abbreviations = map[string]string{
	"IST": "Asia/Kolkata (India), Asia/Jerusalem (Israel) or Europe/Dublin (Ireland)",
	"EST": "America/New_York", "EDT": "America/New_York", "EST5EDT": "America/New_York",
	"CST": "America/Chicago (US) or Asia/Shanghai (China)", "CDT": "America/Chicago", "CST6CDT": "America/Chicago",
	"MST": "America/Denver or America/Phoenix", "MDT": "America/Denver", "MST7MDT": "America/Denver",
	"PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PST8PDT": "America/Los_Angeles",
	"HST": "Pacific/Honolulu", "GMT": "UTC, or Europe/London for British time", "BST": "Europe/London", "WET": "Europe/Lisbon",
	"CET": "Europe/Berlin or Europe/Paris", "CEST": "Europe/Berlin or Europe/Paris", "MET": "Europe/Berlin",
	"EET": "Europe/Athens or Europe/Helsinki", "EEST": "Europe/Athens or Europe/Helsinki", "MSK": "Europe/Moscow",
	"SGT": "Asia/Singapore", "GST": "Asia/Dubai", "PKT": "Asia/Karachi", "NPT": "Asia/Kathmandu",
	"AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "NZST": "Pacific/Auckland", "NZDT": "Pacific/Auckland",
	"JST": "Asia/Tokyo", "KST": "Asia/Seoul", "HKT": "Asia/Hong_Kong", "WIB": "Asia/Jakarta", "EAT": "Africa/Nairobi",
	"SAST": "Africa/Johannesburg", "WAT": "Africa/Lagos", "BRT": "America/Sao_Paulo",
	"INDIA": "Asia/Kolkata", "EGYPT": "Africa/Cairo", "TURKEY": "Europe/Istanbul", "SINGAPORE": "Asia/Singapore",
}

// suggestedZones are the zones that a mistyped name is compared with: one for
// each part of the world in which accounts are likely, spelt as the database has them.
var suggestedZones = strings.Fields(`
Africa/Cairo Africa/Casablanca Africa/Johannesburg Africa/Lagos Africa/Nairobi Africa/Accra Africa/Addis_Ababa Africa/Kampala
America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Anchorage America/Toronto
America/Vancouver America/Halifax America/St_Johns America/Mexico_City America/Bogota America/Lima America/Caracas
America/Santiago America/Sao_Paulo America/Argentina/Buenos_Aires America/Panama America/Jamaica
Asia/Kolkata Asia/Calcutta Asia/Kathmandu Asia/Dhaka Asia/Colombo Asia/Karachi Asia/Kabul Asia/Dubai Asia/Riyadh Asia/Qatar
Asia/Kuwait Asia/Bahrain Asia/Muscat Asia/Baghdad Asia/Tehran Asia/Jerusalem Asia/Beirut Asia/Amman Asia/Tashkent Asia/Almaty
Asia/Yangon Asia/Bangkok Asia/Ho_Chi_Minh Asia/Jakarta Asia/Singapore Asia/Kuala_Lumpur Asia/Manila Asia/Hong_Kong
Asia/Shanghai Asia/Taipei Asia/Tokyo Asia/Seoul Asia/Thimphu Asia/Makassar
Atlantic/Reykjavik Atlantic/Azores Australia/Sydney Australia/Melbourne Australia/Brisbane Australia/Adelaide Australia/Darwin
Australia/Perth Australia/Hobart Australia/Lord_Howe
Europe/London Europe/Dublin Europe/Lisbon Europe/Madrid Europe/Paris Europe/Brussels Europe/Amsterdam Europe/Berlin
Europe/Zurich Europe/Rome Europe/Vienna Europe/Prague Europe/Warsaw Europe/Budapest Europe/Copenhagen Europe/Oslo
Europe/Stockholm Europe/Helsinki Europe/Athens Europe/Bucharest Europe/Sofia Europe/Kyiv Europe/Istanbul Europe/Moscow
Indian/Maldives Indian/Mauritius Pacific/Auckland Pacific/Honolulu Pacific/Fiji Pacific/Apia UTC`)

func nearestZone(name string) string {
	want := foldText(name)
	best, dist := "", len(want)/4+2
	for _, z := range suggestedZones {
		if d := editDistance(want, foldText(z)); d < dist {
			best, dist = z, d
		}
		// A city without its region, such as "Kolkata".
		if i := strings.LastIndexByte(z, '/'); i > 0 {
			if d := editDistance(want, foldText(z[i+1:])); d < min(dist, 2) {
				best, dist = z, d
			}
		}
	}
	return best
}

// span is a stretch of time in which a zone's offset stays the same.
type span struct {
	start, end int64 // UTC seconds; end is not in it
	offset     int64 // seconds east of UTC
}

// zoneTable is a zone's spans, laid out for fast look-ups: time.Location
// answers one way only, from UTC to local, and looks around 500 ns for it.
type zoneTable struct {
	loc   *time.Location
	spans []span
}

// tableFrom and tableTo bound the spans that are laid out; later years, which
// rules alone describe, take the slow way.
var (
	tableFrom = time.Date(minYear-1, 12, 1, 0, 0, 0, 0, time.UTC).Unix()
	tableTo   = time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

func newZoneTable(loc *time.Location) *zoneTable {
	return &zoneTable{loc: loc, spans: spansBetween(loc, tableFrom, tableTo)}
}

// spansBetween gives the spans that cover from to to without a hole; the first
// and the last reach as far as they do. Neighbours differ in their offset.
func spansBetween(loc *time.Location, from, to int64) []span {
	var spans []span
	start := int64(math.MinInt64)
	for at := from; at < to; {
		t := time.Unix(at, 0).In(loc)
		_, offset := t.Zone()
		_, bound := t.ZoneBounds()
		end := int64(math.MaxInt64)
		if !bound.IsZero() {
			end = bound.Unix()
		}
		if end <= at {
			// Where a rule goes on for ever, ZoneBounds ends the last day of a
			// leap year before it began.
			end = at + daySeconds
		}
		if n := len(spans); n > 0 && spans[n-1].offset == int64(offset) {
			spans[n-1].end = end
		} else {
			spans = append(spans, span{start: start, end: end, offset: int64(offset)})
		}
		start, at = end, end
	}
	return spans
}

// reach is more than any offset from UTC and than any step of a clock: Samoa
// once left out 24 hours.
const reach = 48 * 3600

// resolve gives the UTC times at which the zone's clocks show wall. None: the
// time does not exist. Two: it comes twice, and first is the earlier one. Where none,
// before and after are the spans between which the clocks jumped over wall.
func (z *zoneTable) resolve(wall int64) (n int, first, last int64, before, after span) {
	spans := z.spans
	if s := &spans[len(spans)-1]; wall >= s.start+reach && wall <= tableTo-reach {
		return 1, wall - s.offset, wall - s.offset, span{}, span{} // nearly always, where clocks are no longer changed
	}
	if wall > tableTo-reach {
		spans = spansBetween(z.loc, wall-reach, wall+reach)
	}
	i := 0
	if len(spans) > 8 {
		i = sort.Search(len(spans), func(i int) bool { return spans[i].end > wall-reach })
	}
	for ; i < len(spans) && spans[i].start < wall+reach; i++ {
		s := spans[i]
		at := wall - s.offset
		switch {
		case at >= s.start && at < s.end:
			if n == 0 {
				first = at
			}
			last = at
			n++
		case at >= s.end:
			before = s
		case n == 0 && after.start == 0 && after.end == 0:
			after = s
		}
	}
	return n, first, last, before, after
}

// zoneMemo keeps the tables of the zones that a converter meets. It is
// bounded, because a caller may load the same zone for each row.
type zoneMemo struct {
	tables atomic.Pointer[map[*time.Location]*zoneTable]
}

const zoneMemoSize = 64

func (m *zoneMemo) table(loc *time.Location) *zoneTable {
	old := m.tables.Load()
	if old != nil {
		if z := (*old)[loc]; z != nil {
			return z
		}
	}
	z := newZoneTable(loc)
	grown := map[*time.Location]*zoneTable{loc: z}
	if old != nil && len(*old) < zoneMemoSize {
		for k, v := range *old {
			grown[k] = v
		}
	}
	// Losing a race costs a table, not a right answer.
	m.tables.CompareAndSwap(old, &grown)
	return z
}
