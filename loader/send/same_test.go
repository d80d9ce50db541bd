package send

import "testing"

func TestWording(t *testing.T) {
	for msg, want := range map[string]string{
		`Invalid field mx_Stage`:               "Invalid field mx_Stage",
		`the value "Won now" is not an option`: "the value is not an option",
		`Invalid field mx_Custom_1`:            "Invalid field mx_Custom_1",
		`lead a@example.com has 3 owners`:      "lead has owners",
		`'x' and 'y' differ`:                   "and differ",
		`cannot use "a b c" here, don't`:       "cannot use here, don't",
		``:                                     "",
	} {
		if got := wording(msg); got != want {
			t.Errorf("%q: %q, want %q", msg, got, want)
		}
	}
}
