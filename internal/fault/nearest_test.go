package fault_test

import (
	"strings"
	"testing"

	"leadload/internal/fault"
)

func TestNearest(t *testing.T) {
	names := []string{"EmailAddress", "First Name", "Last Name", "Q4", "Ärzte", "mx_Custom_1", "mx_Custom_11", "Deal ID"}
	for s, want := range map[string]string{
		"emailaddress":              "EmailAddress", // case
		"first_name":                "First Name",   // separators
		"Frist Name":                "First Name",   // neighbours swapped
		"Last Nam":                  "Last Name",    // a letter missing
		"Emial Adress":              "EmailAddress",
		"Q3":                        "Q4",
		"mx_custom_1":               "mx_Custom_1",
		"mxCustom11":                "mx_Custom_11",
		"Deal-Id":                   "Deal ID",
		"nothing of that":           "",
		"x":                         "",
		"arzte":                     "Ärzte",
		"Phone":                     "",
		"":                          "",
		strings.Repeat("Name ", 30): "",
	} {
		if got := fault.Nearest(s, names); got != want {
			t.Errorf("%q is taken for %q, want %q", s, got, want)
		}
	}
	long := strings.Repeat("Name ", 30)
	if got := fault.Nearest(long, []string{"Other", long}); got != long {
		t.Errorf("a long name is not found again: %q", got)
	}
}
