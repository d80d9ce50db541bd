package converter

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestDateTimeForms(t *testing.T) {
	kolkata := mustZone(t, "Asia/Kolkata")
	for _, tc := range []struct{ format, text, want string }{
		{"dd/MM/yyyy HH:mm", "31/12/2025 23:30", "2025-12-31 18:00:00"},
		{"dd/MM/yyyy HH:mm", "1/2/2026 9:05", "2026-02-01 03:35:00"},
		{"dd/MM/yyyy HH:mm", "31/12/2025   23:30", "2025-12-31 18:00:00"},
		{"dd/MM/yyyy", "01/01/2026", "2025-12-31 18:30:00"},
		{"d/M/yyyy H:m:s", "1/2/2026 9:5:7", "2026-02-01 03:35:07"},
		{"d/M/yyyy H:m:s", "01/02/2026 09:05:07", "2026-02-01 03:35:07"},
		{"MM/dd/yyyy hh:mm a", "12/31/2025 11:30 PM", "2025-12-31 18:00:00"},
		{"MM/dd/yyyy hh:mm a", "12/31/2025 12:30 am", "2025-12-30 19:00:00"},
		{"MM/dd/yyyy hh:mm a", "12/31/2025 12:30 p.m.", "2025-12-31 07:00:00"},
		{"MM/dd/yyyy h:mm a", "12/31/2025 1:30\u202fPM", "2025-12-31 08:00:00"},
		{"dd MMM yyyy", "3 jan 2026", "2026-01-02 18:30:00"},
		{"dd MMM yyyy", "03 Sept 2026", "2026-09-02 18:30:00"},
		{"dd MMMM yyyy", "03 SEPTEMBER 2026", "2026-09-02 18:30:00"},
		{"MMMM d, yyyy 'at' h:mm a", "May 9, 2026 at 5:00 am", "2026-05-08 23:30:00"},
		{"ddMMMyyyy", "09May2026", "2026-05-08 18:30:00"},
		{"EEE, dd MMM yyyy HH:mm:ss Z", "Tue, 09 Dec 2025 10:00:00 +0000", "2025-12-09 10:00:00"},
		{"EEEE dd MMMM yyyy", "tuesday 09 december 2025", "2025-12-08 18:30:00"},
		{"yyyyMMdd", "20251231", "2025-12-30 18:30:00"},
		{"yyyyMMddHHmmss", "20251231233015", "2025-12-31 18:00:15"},
		{"yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2025-12-31T23:30:15.987+05:30", "2025-12-31 18:00:15"},
		{"yyyy-MM-dd HH:mm:ss Z", "2025-12-31 23:30:15 UTC", "2025-12-31 23:30:15"},
		{"yyyy-MM-dd HH:mm Z", "2025-12-31 23:30 -08", "2026-01-01 07:30:00"},
		{"dd-MM-yy HH:mm", "31-12-25 23:30", "2025-12-31 18:00:00"},
		{"dd-MM-yy", "31-12-69", "1969-12-30 18:30:00"},
		{"dd.MM.yyyy 'o''clock' HH", "31.12.2025 o'clock 23", "2025-12-31 17:30:00"},
		{"yyyy''MM''dd", "2025'12'31", "2025-12-30 18:30:00"},
		{"yyyy年MM月dd日", "2025年12月31日", "2025-12-30 18:30:00"},
		{"dd/MM/yyyy HH:mm", "29/02/2024 00:00", "2024-02-28 18:30:00"},
		{"dd/MM/yyyy", "३१/१२/२०२५", "2025-12-30 18:30:00"},
		{"iso", "2025-12-31", "2025-12-30 18:30:00"},
		{"ISO", "2025-12-31T23:30", "2025-12-31 18:00:00"},
		{"iso", "2025-12-31 23:30:15", "2025-12-31 18:00:15"},
		{"iso", "2025-12-31t23:30:15,123z", "2025-12-31 23:30:15"},
		{"iso", "2025-12-31T23:30:15.123456789-03:30", "2026-01-01 03:00:15"},
		{"iso", "2025-12-31 23:30:15 +0530", "2025-12-31 18:00:15"},
		{"iso", "20251231T233015Z", "2025-12-31 23:30:15"},
		{"iso", "20251231T2330", "2025-12-31 18:00:00"},
		{"epoch", "1767204000", "2025-12-31 18:00:00"},
		{"epoch", "-86400", "1969-12-31 00:00:00"},
		{"epoch-ms", "1767204000999", "2025-12-31 18:00:00"},
		{"epoch-ms", "-100000000001", "1966-10-31 14:13:19"},
		{"excel", "46022.979166666664", "2025-12-31 18:00:00"},
		// Kolkata's clocks were 5:21:10 ahead until 1906.
		{"excel", "367", "1900-12-31 18:38:50"},
	} {
		t.Run(tc.format+" "+tc.text, func(t *testing.T) {
			c := mustNew(t, Spec{Type: DateTime, Formats: []string{tc.format}, Location: kolkata})
			got, err := c.Convert(text(tc.text), nil)
			if got != tc.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
		})
	}
}

func TestDateTimeProblems(t *testing.T) {
	kolkata := mustZone(t, "Asia/Kolkata")
	for _, tc := range []struct{ name, format, text, code, hint string }{
		{"day that is not", "dd/MM/yyyy", "31/02/2026", "datetime.calendar", "correct the day"},
		{"leap day of a common year", "dd/MM/yyyy", "29/02/2026", "datetime.calendar", ""},
		{"leap day of 1900", "dd/MM/yyyy", "29/02/1900", "datetime.calendar", ""},
		{"day zero", "dd/MM/yyyy", "00/01/2026", "datetime.calendar", ""},
		{"month 13", "dd/MM/yyyy", "01/13/2026", "datetime.calendar", `"MM/dd/yyyy"`},
		{"month zero", "dd/MM/yyyy", "01/00/2026", "datetime.calendar", ""},
		{"24:00", "dd/MM/yyyy HH:mm", "01/02/2026 24:00", "datetime.calendar", "00:00 of the next day"},
		{"minute 60", "dd/MM/yyyy HH:mm", "01/02/2026 23:60", "datetime.calendar", ""},
		{"second 60", "dd/MM/yyyy HH:mm:ss", "01/02/2026 23:59:60", "datetime.calendar", ""},
		{"13 pm", "dd/MM/yyyy hh:mm a", "01/02/2026 13:00 PM", "datetime.calendar", "from 1 to 12"},
		{"00 am", "dd/MM/yyyy hh:mm a", "01/02/2026 00:30 AM", "datetime.calendar", ""},
		{"weekday that does not fit", "EEEE dd MMMM yyyy", "Friday 09 December 2025", "datetime.weekday", "correct the day of the week"},
		{"text behind", "dd/MM/yyyy", "01/02/2026 10:00", "datetime.format", `"dd/MM/yyyy HH:mm"`},
		{"text before", "dd/MM/yyyy", "on 01/02/2026", "datetime.format", "write it like 31/12/2025"},
		{"too short", "dd/MM/yyyy HH:mm", "01/02/2026", "datetime.format", `"dd/MM/yyyy"`},
		{"other separator", "dd/MM/yyyy", "01-02-2026", "datetime.format", `"dd-MM-yyyy"`},
		{"two digits for four", "dd/MM/yyyy", "01/02/26", "datetime.format", `"dd/MM/yy"`},
		{"four digits for two", "dd/MM/yy", "01/02/2026", "datetime.format", `"dd/MM/yyyy"`},
		{"three digits of a day", "dd/MM/yyyy", "001/02/2026", "datetime.format", ""},
		{"single digit of a minute", "dd/MM/yyyy HH:mm", "01/02/2026 9:5", "datetime.format", ""},
		{"a digit lost at the end", "yyyyMMdd", "2026011", "datetime.format", ""},
		{"an hour of one digit before minutes", "yyyyMMdd HHmm", "20260101 930", "datetime.format", ""},
		{"seven digits of eight", "ddMMyyyy", "1022026", "datetime.format", ""},
		{"year 26", "dd/MM/yyyy", "01/02/0026", "datetime.year", "four"},
		{"year 1899", "yyyy-MM-dd", "1899-12-31", "datetime.year", "1900"},
		{"year 47 of two centuries", "dd/MM/yy", "01/02/47", "datetime.year", "yyyy"},
		{"no month", "dd MMM yyyy", "01 Foo 2026", "datetime.format", ""},
		{"no am", "dd/MM/yyyy hh:mm a", "01/02/2026 10:00", "datetime.format", ""},
		{"offset of a day", "yyyy-MM-dd HH:mm Z", "2026-02-01 10:00 +25:00", "datetime.calendar", "+05:30"},
		{"zone's name", "yyyy-MM-dd HH:mm Z", "2026-02-01 10:00 IST", "datetime.format", ""},
		{"letters", "dd/MM/yyyy", "tomorrow", "datetime.format", ""},
		{"Devanagari digits of no date", "dd/MM/yyyy", "३१/०२/२०२६", "datetime.calendar", ""},
		{"iso without dashes", "iso", "20260201", "datetime.format", "yyyyMMdd"},
		{"iso of a week", "iso", "2026-W05-1", "datetime.format", ""},
		{"iso with an hour alone", "iso", "2026-02-01T10", "datetime.format", ""},
		{"iso with a point and no fraction", "iso", "2026-02-01T10:00:00.", "datetime.format", ""},
		{"iso leap second", "iso", "2016-12-31T23:59:60Z", "datetime.calendar", ""},
		{"iso 31 February", "iso", "2026-02-31", "datetime.calendar", ""},
		{"iso offset", "iso", "2026-02-01T10:00+19:00", "datetime.calendar", ""},
		{"milliseconds for seconds", "epoch", "1767204000000", "datetime.epoch", "epoch-ms"},
		{"seconds for milliseconds", "epoch-ms", "1767204000", "datetime.epoch", "epoch"},
		{"epoch zero", "epoch", "0", "datetime.epoch", ""},
		{"endless epoch", "epoch", "99999999999999999999999", "datetime.epoch", ""},
		{"epoch with a fraction", "epoch", "1767204000.5", "datetime.format", ""},
		{"epoch sign alone", "epoch", "-", "datetime.format", ""},
		{"serial of a day that never was", "excel", "60", "datetime.serial", ""},
		{"negative serial", "excel", "-1", "datetime.serial", ""},
		{"serial beyond Excel", "excel", "2958466", "datetime.serial", ""},
		{"text for a serial", "excel", "31/12/2025", "datetime.format", `"dd/MM/yyyy"`},
		{"serial without a day", "excel", "0.5", "datetime.time_only", ""},
		{"before the first year in UTC", "yyyy-MM-dd HH:mm", "1900-01-01 00:00", "datetime.year", "1900"},
		{"past the last year", "yyyy-MM-dd HH:mm Z", "9999-12-31 23:00 -05:00", "datetime.year", "9999"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := mustNew(t, Spec{Type: DateTime, Formats: []string{tc.format}, Location: kolkata})
			got, err := c.Convert(text(tc.text), nil)
			wantProblem(t, tc.text, err, tc.code)
			if p, ok := err.(*Problem); ok && !strings.Contains(p.Hint, tc.hint) {
				t.Errorf("the hint %q does not say %q", p.Hint, tc.hint)
			}
			if got != "" {
				t.Errorf("got the value %q", got)
			}
		})
	}
}

func TestTheClosestFormatSpeaks(t *testing.T) {
	c := mustNew(t, Spec{Type: DateTime, Location: time.UTC, Formats: []string{"iso", "dd/MM/yyyy HH:mm", "dd/MM/yyyy", "dd-MM-yyyy", "dd.MM.yyyy"}})
	_, err := c.Convert(text("31/02/2026 10:00"), nil)
	wantProblem(t, "31/02", err, "datetime.calendar")
	_, err = c.Convert(text("31 02 2026"), nil)
	wantProblem(t, "31 02", err, "datetime.format")
	if want := "yyyy-MM-dd[ HH:mm[:ss]] (iso) or dd/MM/yyyy HH:mm or dd/MM/yyyy or 2 others"; !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not list %q", err, want)
	}
}

func TestFormatsAreRefusedByName(t *testing.T) {
	for format, want := range map[string]string{
		"DD/MM/yyyy":              `unknown letters "DD"; did you mean "dd"?`,
		"dd/MM/YYYY":              `unknown letters "YYYY"; did you mean "yyyy"?`,
		"dd/mm/yyyy":              `"mm" is the minutes; months are "MM"`,
		"dd/mm/yyyy HH:mm":        `"mm" is the minutes and stands there twice; months are "MM"`,
		"dd/MM/yyyy HH:MM":        `"MM" is the month and stands there twice; minutes are "mm"`,
		"dd/MM/y":                 `did you mean "yyyy"?`,
		"dd/MM/yyyyy":             `did you mean "yyyy"?`,
		"ddd/MM/yyyy":             `did you mean "EEE"?`,
		"dddd, dd MMMM yyyy":      `did you mean "EEEE"?`,
		"dd-MON-yyyy":             `did you mean "MMM"?`,
		"dd-Mon-yyyy":             `did you mean "MMM"?`,
		"dd/MM/yyyy hh:mm":        `"hh" counts to 12 and needs "a"`,
		"dd/MM/yyyy HH:mm a":      `needs the hour from 1 to 12`,
		"dd/MM/yyyy hh:mm AM":     `did you mean "a"?`,
		"dd/MM/yyyy hh:mm tt":     `did you mean "a"?`,
		"dd/MM/yyyy kk:mm":        `did you mean "HH"?`,
		"yyyy-MM-ddTHH:mm":        `write 'T' in quotes, or the format iso`,
		"yyyy-MM-dd HH:mm:ss.fff": `did you mean "SSS"?`,
		"yyyy-MM-dd HH:mm:ss.SS":  `did you mean "SSS"?`,
		"yyyy-MM-dd HH:mm XXX":    `did you mean "Z"?`,
		"yyyy-MM-dd HH:mm zzz":    "names such as IST mean several zones",
		"%d/%m/%Y":                "another program's way",
		"dd/MM":                   "there is no year",
		"yyyy/dd":                 "there is no month",
		"MM/yyyy":                 "there is no day",
		"dd/MM/yyyy mm":           "there are minutes and no hour",
		"dd/MM/yyyy HH:ss":        "there are seconds and no minutes",
		"dd/MM/yyyy HH:mm SSS":    "there are milliseconds and no seconds",
		"dd/MM/yyyy dd":           `"dd" stands there twice`,
		"dd/MM/MMM/yyyy":          "the month stands there twice",
		"dd/MM/yyyy yy":           "the year stands there twice",
		"dd/MM/yyyy HH hh a":      "the hour stands there twice",
		"dMyyyy":                  "use two letters",
		"d'1'MM/yyyy":             "use two letters",
		"yyyyMMdd HHZmm":          "right behind the offset",
		"EEEMMM d yyyy":           "right behind the name",
		"d MMM'uary' yyyy":        "right behind the name",
		"dd/MM/yyyy 'at":          "the quote before \"at\" is not closed",
		"dd/MM/yyyy j":            `unknown letter "j"`,
		"":                        "a format is empty",
		" ":                       "a format is empty",
		"'x'":                     "there is no year",
		"31/12/2025":              "there is no year",
	} {
		t.Run(format, func(t *testing.T) {
			_, err := New(Spec{Type: DateTime, Location: time.UTC, Formats: []string{format}})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestDateTimeCells(t *testing.T) {
	runRows(t, Spec{Type: DateTime, Location: mustZone(t, "Asia/Kolkata"), Formats: []string{"dd/MM/yyyy HH:mm"}}, []row{
		{"whole day", serial("46000"), "2025-12-08 18:30:00", ""},
		{"half an hour before midnight", serial("46000.979166666664"), "2025-12-09 18:00:00", ""},
		{"rounds to the second", serial("46000.395833333336"), "2025-12-09 04:00:00", ""},
		{"rounds to the next day", serial("46000.9999999"), "2025-12-09 18:30:00", ""},
		{"a second before midnight", serial("46000.99998842593"), "2025-12-09 18:29:59", ""},
		{"more digits than a double has", serial("46000.39583333333333333333333333333333"), "2025-12-09 04:00:00", ""},
		{"the day before the day that never was", serial("59.9"), "1900-02-28 16:14:50", ""},
		{"the day after", serial("61"), "1900-02-28 18:38:50", ""},
		{"the day that never was", serial("60"), "", "datetime.serial"},
		{"rounded to the day that never was", serial("59.9999999"), "", "datetime.serial"},
		{"an hour of it", serial("60.5"), "", "datetime.serial"},
		{"a time alone", serial("0.75"), "", "datetime.time_only"},
		{"zero", serial("0"), "", "datetime.time_only"},
		{"duration", Cell{Kind: DateCell, Text: "1.5", Format: `[$-409]\ [HH]:mm`}, "", "datetime.time_only"},
		{"not a duration", Cell{Kind: DateCell, Text: "46000", Format: `[$-409][Red]dd/mm/yyyy`}, "2025-12-08 18:30:00", ""},
		{"negative", serial("-1"), "", "datetime.serial"},
		{"absurd", serial("1000000000000"), "", "datetime.serial"},
		{"sixty million", serial("60000000"), "", "datetime.serial"},
		{"the last day", serial("2958465.5"), "9999-12-31 06:30:00", ""},
		{"no number", serial("x"), "", "datetime.serial"},
		{"no digits behind the point", serial("46000."), "", "datetime.serial"},
		{"number cell", numeric("46000.5"), "", "datetime.number"},
		{"boolean cell", Cell{Kind: BoolCell, Text: "TRUE"}, "", "cell.kind"},
	})
}

func TestNumberCellsUnderPatternsOfDigits(t *testing.T) {
	runRows(t, Spec{Type: DateTime, Location: time.UTC, Formats: []string{"dd/MM/yyyy", "yyyyMMdd"}}, []row{
		{cell: numeric("20251231"), want: "2025-12-31 00:00:00"},
		{cell: numeric("20251331"), code: "datetime.calendar"},
		{cell: numeric("46000"), code: "datetime.format"},
	})
	runRows(t, Spec{Type: DateTime, Location: time.UTC, Formats: []string{"excel"}}, []row{
		{cell: numeric("46000.5"), want: "2025-12-09 12:00:00"},
	})
	runRows(t, Spec{Type: DateTime, Location: time.UTC, Formats: []string{"epoch", "epoch-ms"}}, []row{
		{cell: numeric("1767204000"), want: "2025-12-31 18:00:00"},
		{cell: numeric("1767204000000"), want: "2025-12-31 18:00:00"},
	})
	runRows(t, Spec{Type: DateTime, Location: time.UTC}, []row{
		{name: "no formats, number cell", cell: numeric("20251231"), code: "datetime.number"},
		{name: "no formats, iso", cell: text("2025-12-31"), want: "2025-12-31 00:00:00"},
		{name: "no formats, another form", cell: text("31/12/2025"), code: "datetime.format"},
	})
}

func TestSerialOfEveryMinute(t *testing.T) {
	for minute := range 1440 {
		// As Excel stores it: the double nearest to the fraction.
		cell := strconv.FormatFloat(46000+float64(minute)/1440, 'f', -1, 64)
		var f fields
		if m := parseSerial(cell, &f); m != fits || f.hour != minute/60 || f.minute != minute%60 || f.second != 0 {
			t.Fatalf("%s: got %02d:%02d:%02d (%d), want minute %d", cell, f.hour, f.minute, f.second, m, minute)
		}
	}
}

func TestDate(t *testing.T) {
	// The zone is there to show that it shifts nothing.
	spec := Spec{Type: Date, Location: mustZone(t, "Pacific/Auckland")}
	runRows(t, spec, []row{
		{cell: text("2025-12-31"), want: "2025-12-31"},
		{cell: text("2025-12-31 00:00:00"), want: "2025-12-31"},
		{cell: text("2025-12-31T00:00:00Z"), want: "2025-12-31"},
		{cell: text("2025-12-31T18:30:00Z"), code: "date.offset"},
		{cell: text("2025-12-31 10:00"), code: "date.time"},
		{cell: serial("46000"), want: "2025-12-09"},
		{cell: serial("46000.5"), code: "date.time"},
		{cell: serial("46000.0000001"), want: "2025-12-09"},
		{cell: numeric("46000"), code: "datetime.number"},
	})
	spec.Formats = []string{"dd/MM/yyyy"}
	runRows(t, spec, []row{
		{cell: text("31/12/2025"), want: "2025-12-31"},
		{cell: text("31/12/2025 10:00"), code: "datetime.format"},
		{cell: serial("46000.5"), code: "date.time"},
	})
	spec.Formats = []string{"dd/MM/yyyy HH:mm", "yyyy-MM-dd HH:mm Z"}
	runRows(t, spec, []row{
		{name: "named hour is dropped", cell: text("31/12/2025 23:59"), want: "2025-12-31"},
		{name: "named hour of a date cell is dropped", cell: serial("46000.99"), want: "2025-12-09"},
		{name: "a moment is not", cell: text("2025-12-31 23:59 +00:00"), code: "date.offset"},
	})
}

func TestAmbiguousDayMonth(t *testing.T) {
	for _, tc := range []struct {
		format, text       string
		ambiguous, decided bool
	}{
		{"dd/MM/yyyy", "02/03/2026", true, false},
		{"dd/MM/yyyy", "13/03/2026", false, true},
		{"dd/MM/yyyy", "05/05/2026", false, false},
		{"MM/dd/yyyy", "02/03/2026", true, false},
		{"MM/dd/yyyy", "03/13/2026", false, true},
		{"dd/MM/yy HH:mm", "02/03/26 10:00", true, false},
		{"yyyy-MM-dd", "2026-03-02", false, false},
		{"dd MMM yyyy", "02 Mar 2026", false, false},
		{"EEE dd/MM/yyyy", "Mon 02/03/2026", false, true},
		{"dd/MM/yyyy", "rubbish", false, false},
		{"iso", "2026-03-02", false, false},
	} {
		t.Run(tc.format+" "+tc.text, func(t *testing.T) {
			c := mustNew(t, Spec{Type: DateTime, Location: time.UTC, Formats: []string{tc.format}})
			if a, d := c.AmbiguousDayMonth(tc.text); a != tc.ambiguous || d != tc.decided {
				t.Errorf("got %v, %v, want %v, %v", a, d, tc.ambiguous, tc.decided)
			}
		})
	}
}

func TestLocal(t *testing.T) {
	c := mustNew(t, Spec{Type: DateTime, Location: mustZone(t, "America/St_Johns"), Formats: []string{"dd/MM/yyyy HH:mm", "iso"}, DST: Later})
	for _, tc := range []struct {
		cell Cell
		want string
	}{
		{text("31/12/2025 23:30"), "2025-12-31 23:30:00 -03:30"},
		{serial("46000.5"), "2025-12-09 12:00:00 -03:30"},
		{text("2025-12-31T23:30+05:30"), "2025-12-31 23:30:00 +05:30"},
	} {
		if got, err := c.Local(tc.cell, nil); got != tc.want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", tc.cell.Text, got, err, tc.want)
		}
	}
	if _, err := c.Local(text("x"), nil); err == nil {
		t.Error("a text that is no time has a local time")
	}
}

// TestFormattedTimesComeBack writes random times by Go's own formatter and
// demands the same moment back: no valid value changes silently.
func TestFormattedTimesComeBack(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 4))
	zone := mustZone(t, "Asia/Kolkata")
	for pattern, layout := range map[string]string{
		"dd/MM/yyyy HH:mm:ss":                 "02/01/2006 15:04:05",
		"d/M/yyyy H:m:s":                      "2/1/2006 15:4:5",
		"dd-MMM-yyyy hh:mm:ss a":              "02-Jan-2006 03:04:05 PM",
		"EEEE, MMMM d, yyyy h:mm:ssa":         "Monday, January 2, 2006 3:04:05pm",
		"yyyyMMddHHmmss":                      "20060102150405",
		"yyyy-MM-dd'T'HH:mm:ss.SSSZ":          "2006-01-02T15:04:05.000Z07:00",
		"EEE MMM dd HH:mm:ss Z yyyy":          "Mon Jan 02 15:04:05 -0700 2006",
		"iso":                                 time.RFC3339,
		"ddMMyyyy HHmmss":                     "02012006 150405",
		"yyyy.MM.dd 'um' HH 'Uhr' mm 'und' s": "2006.01.02 um 15 Uhr 04 und 5",
	} {
		c := mustNew(t, Spec{Type: DateTime, Formats: []string{pattern}, Location: zone})
		for range 500 {
			at := time.Unix(draw.Int64N(4e9), 0).In(zone)
			written := at.Format(layout)
			want := at.UTC().Format(time.DateTime)
			if got, err := c.Convert(text(written), nil); got != want || err != nil {
				t.Fatalf("%s %q: got %q, %v, want %q", pattern, written, got, err, want)
			}
		}
	}
}

func TestCalendarEqualsTheStandardLibrary(t *testing.T) {
	for at := time.Date(1599, 12, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2402; at = at.AddDate(0, 0, 1) {
		days := at.Unix() / daySeconds
		y, m, d := civil(days)
		if y != at.Year() || m != int(at.Month()) || d != at.Day() || daysFrom(y, m, d) != days || weekdayOf(days) != int(at.Weekday()) {
			t.Fatalf("%s: got %04d-%02d-%02d, weekday %d, and back %d for %d", at, y, m, d, weekdayOf(days), daysFrom(y, m, d), days)
		}
	}
}
