package cli

import "testing"

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{
		"32GiB": 32 << 30, "500MB": 500e6, "1.5 kib": 1536, "1024": 1024, "7b": 7,
		"": -1, "GiB": -1, "-1MB": -1, "0": -1, "1e300GB": -1, "NaN": -1, "12 apples": -1,
	} {
		got, err := parseSize(in)
		if want < 0 {
			if err == nil {
				t.Errorf("parseSize(%q) = %d, want an error", in, got)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
}

func TestParseRows(t *testing.T) {
	set, err := parseRows("2-4, 57,60-60")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]bool{1: false, 2: true, 4: true, 5: false, 57: true, 60: true, 61: false} {
		if set.Has(n) != want {
			t.Errorf("row %d: %v, want %v", n, !want, want)
		}
	}
	for _, bad := range []string{"0", "a", "5-2", "1-", "-3", "1,,2", "99999999999999999999"} {
		if _, err := parseRows(bad); err == nil {
			t.Errorf("--rows %q was taken", bad)
		}
	}
}
