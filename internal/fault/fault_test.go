package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"leadload/internal/fault"
)

func TestPlace(t *testing.T) {
	for want, p := range map[string]fault.Place{
		"":                                      {},
		"deals.csv":                             {File: "deals.csv"},
		"standard input, line 4":                {File: "-", Line: 4},
		`deals.xlsx, sheet "Q4", row 3`:         {File: "deals.xlsx", Sheet: "Q4", Row: 3},
		"row 5 (line 7)":                        {Row: 5, Line: 7},
		`deals.csv, row 3 (line 5), column "A"`: {File: "deals.csv", Row: 3, Line: 5, Column: "A"},
		"deals.csv, row 3":                      {File: "deals.csv", Row: 3, Line: 3},
	} {
		if got := p.String(); got != want {
			t.Errorf("%+v is %q, want %q", p, got, want)
		}
	}
}

func TestError(t *testing.T) {
	cause := errors.New("permission denied")
	for want, f := range map[string]*fault.Fault{
		"it is closed":                             {Msg: "it is closed"},
		"x.csv: it is closed: permission denied":   {Msg: "it is closed", Place: fault.Place{File: "x.csv"}, Err: cause},
		"x.csv: refused, with permission denied":   {Msg: "refused, with permission denied", Place: fault.Place{File: "x.csv"}, Err: cause},
		"nothing was sent: it is 06:00 (the time)": fault.New("run.until", "", "nothing was sent: it is %s (the time)", "06:00"),
	} {
		if f.Error() != want {
			t.Errorf("got %q, want %q", f.Error(), want)
		}
	}
	if !errors.Is(&fault.Fault{Err: cause}, cause) {
		t.Error("a fault hides its cause")
	}
}

// other is an error of another type that is a fault.
type other struct{}

func (other) Error() string       { return "other" }
func (other) Fault() *fault.Fault { return fault.New("ledger.full", "", "other") }

func TestTraits(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		trait fault.Trait
		exit  int
		code  fault.Code
	}{
		{"a wrong file", fault.New("file.missing", "", "x"), fault.Usage, 2, "file.missing"},
		{"a wrapped fault", fmt.Errorf("in between: %w", fault.New("account.busy", "", "x")), fault.Busy, 5, "account.busy"},
		{"an error of another type", errors.Join(errors.New("x"), other{}), fault.Stopped, 3, "ledger.full"},
		{"an exception that is not listed", fault.New("account.MXNeverHeardOfException", "", "x"), fault.Stopped, 3, "account.MXNeverHeardOfException"},
		{"a fault of the program", fault.New("run.conservation", "", "x"), fault.Bug, 1, "run.conservation"},
		{"a row", fault.New("row.changed", "", "x"), fault.Person, 4, "row.changed"},
		{"an interruption", fmt.Errorf("x: %w", context.Canceled), fault.Interrupted, 130, "interrupted"},
		{"an interruption that a fault reports", &fault.Fault{Code: "file.read", Err: context.Canceled}, fault.Interrupted, 130, "interrupted"},
		{"a fault beside an interruption", errors.Join(context.Canceled, fault.New("run.conservation", "", "x")), fault.Bug, 1, "run.conservation"},
		{"a row's fault in a mapping", &fault.Fault{Code: "online.option", Msg: "x", Ends: fault.Usage}, fault.Usage, 2, "online.option"},
		{"another error", errors.New("x"), fault.Bug, 1, "program"},
		{"a code that nobody knows", fault.New("no.such", "", "x"), fault.Bug, 1, "no.such"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fault.TraitOf(c.err); got != c.trait {
				t.Errorf("trait %d, want %d", got, c.trait)
			}
			if got := c.trait.Exit(); got != c.exit {
				t.Errorf("exit code %d, want %d", got, c.exit)
			}
			if code, msg, _ := fault.Words(c.err); code != c.code || msg == "" {
				t.Errorf("code %q with %q, want %q", code, msg, c.code)
			}
		})
	}
	if fault.TraitOf(nil) != fault.Done || fault.Done.Exit() != 0 {
		t.Error("no error must be exit code 0")
	}
}

func TestAdvice(t *testing.T) {
	if got := fault.New("file.ods", "", "x").Advice(); got != "save it as .xlsx" {
		t.Errorf("the catalogue's advice is %q", got)
	}
	if got := fault.New("file.ods", "ask Asha", "x").Advice(); got != "ask Asha" {
		t.Errorf("the advice of the place is %q", got)
	}
	if e, ok := fault.Code("FILE.ODS").Entry(); !ok || e.Code != "file.ods" {
		t.Errorf("a code in capitals is %+v", e)
	}
	if _, ok := fault.Code("no.such").Entry(); ok {
		t.Error("an unknown code has an entry")
	}
	if e, ok := fault.Code("account.MXNewException").Entry(); !ok || e.Do == "" {
		t.Errorf("an exception that is not listed is %+v", e)
	}
}

func TestPathless(t *testing.T) {
	denied := errors.New("denied")
	for _, err := range []error{&fs.PathError{Op: "open", Path: "x", Err: denied}, &os.LinkError{Op: "rename", Old: "x", New: "y", Err: denied}, denied} {
		if got := fault.Pathless(err); got != denied {
			t.Errorf("%v is left of %v", got, err)
		}
	}
}
