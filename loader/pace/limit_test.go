package pace

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseLimit(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Limit
		form string // of the limit, if it is not the text
	}{
		{"25/5s", super, ""},
		{"25/5", super, "25/5s"},
		{" 25 / 5s ", super, "25/5s"},
		{"1/1m", Limit{1, time.Minute}, ""},
		{"1/60s", Limit{1, time.Minute}, "1/1m"},
		{"72/5s", Limit{72, 5 * second}, ""},
		{"10/1m30s", Limit{10, 90 * second}, ""},
		{"3/59m", Limit{3, 59 * time.Minute}, ""},
		{"1000000/10ms", Limit{1000000, 10 * ms}, ""},
		{"off", Unlimited, ""},
		{"OFF", Unlimited, "off"},
	} {
		got, err := ParseLimit(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("ParseLimit(%q) = %+v, %v", tt.text, got, err)
		}
		form := tt.form
		if form == "" {
			form = tt.text
		}
		if got.String() != form {
			t.Errorf("ParseLimit(%q).String() = %q, want %q", tt.text, got.String(), form)
		}
	}
}

func TestParseLimitErrors(t *testing.T) {
	for _, tt := range []struct{ text, says string }{
		{"", "no window"},
		{"25", "it has no window"},
		{"infinity", "no window"},
		{"/", `"" is not a whole number`},
		{"/5s", `"" is not a whole number`},
		{"25/", `"" is not a window`},
		{"many/5s", `"many" is not a whole number`},
		{"2.5/5s", `"2.5" is not a whole number`},
		{"25/soon", `"soon" is not a window`},
		{"25/2.5", `"2.5" is not a window`},
		{"25/5/5", `"5/5" is not a window`},
		{"0/5s", "at least one call"},
		{"-1/5s", "at least one call"},
		{"25/0s", "shorter than 10ms"},
		{"25/-5", "shorter than 10ms"},
		{"25/9ms", "shorter than 10ms"},
		{"25/1h", "daily limit"},
		{"432000/24h", "daily limit"},
		{"25/99999999999", `is not a window`},
		{"1000001/5s", "more than 1000000"},
		{"99999999999999999999/5s", "is not a whole number"},
	} {
		l, err := ParseLimit(tt.text)
		var le *LimitError
		if !errors.As(err, &le) || le.Text != tt.text || l != (Limit{}) {
			t.Errorf("ParseLimit(%q) = %+v, %v", tt.text, l, err)
			continue
		}
		if !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "25/5s") {
			t.Errorf("ParseLimit(%q): %q does not say %q and what is accepted", tt.text, err, tt.says)
		}
	}
}

var limitSeeds = []string{"25/5s", "25/5", "1/1m", "off", "0/5s", "-1/5s", "25/1h", " 3 / 1m30s", "25/5/5", "1/1h0m0s", "9/0.01s", "25/٥s"}

func FuzzParseLimit(f *testing.F) {
	if len(limitSeeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range limitSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLimit(s)
		if err != nil {
			return
		}
		if !l.unlimited() && l.fault() != "" {
			t.Fatalf("%q gives %+v: %s", s, l, l.fault())
		}
		again, err := ParseLimit(l.String())
		if err != nil || again != l {
			t.Fatalf("%q gives %+v, which %q does not: %+v, %v", s, l, l.String(), again, err)
		}
		New(Options{Limit: l})
	})
}

func TestAtMostKeepsBothLimits(t *testing.T) {
	for _, c := range []struct{ stated, most, want string }{
		{"100000/1s", "5/1s", "5/1s"},
		{"25/5s", "25/5s", "25/5s"},
		{"30/5s", "25/5s", "25/5s"},
		{"25/4s", "25/5s", "25/5s"},
		{"10/5s", "25/5s", "10/5s"},
		{"100/1m", "5/1s", "5/3s"},  // fewer a minute, but not all at once
		{"10/1s", "25/5s", "10/2s"}, // fewer at once, but not more in five seconds
		{"1/10s", "25/5s", "1/10s"},
		{"7/3s", "5/2s", "5/2.142857143s"},
	} {
		stated, _ := ParseLimit(c.stated)
		most, _ := ParseLimit(c.most)
		want, err := ParseLimit(c.want)
		if got := stated.atMost(most); err != nil || got != want {
			t.Errorf("%s at most %s is %s, want %s", c.stated, c.most, got, c.want)
		}
	}
	some := Limit{10, time.Second}
	if some.atMost(Limit{}) != some || some.atMost(Unlimited) != some {
		t.Error("no bound is one")
	}
}
