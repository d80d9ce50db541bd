package leadsquared

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestSameValue(t *testing.T) {
	long := strings.Repeat("words ", 60)
	for _, c := range []struct {
		name, sent, got string
		want            bool
	}{
		{"equal", "Open", "Open", true},
		{"both empty", "", "", true},
		{"blank and empty", "  ", "", true},
		{"empty and something", "", "x", false},
		{"something and empty", "x", "", false},
		{"empty and zero", "", "0", false},
		{"trimmed", "  a note ", "a note", true},
		{"blanks inside", "a  note", "a note", false},
		{"no-break blank", "a\u00a0note", "a note", true},
		{"line breaks", "a\r\nb", "a\nb", true},
		{"old line breaks", "a\rb", "a\nb", true},
		{"blanks before a line break", "a \nb", "a\nb", true},
		{"a line more", "a\n\nb", "a\nb", false},
		{"option in other case", "won", "Won", true},
		{"e-mail in other case", "Asha@Example.com", "asha@example.com", true},
		{"another option", "Won", "Lost", false},
		{"entity", "R&D <x>", "R&amp;D &lt;x&gt;", true},
		{"another entity", "R&D", "R&amp;B", false},
		{"accents", "Café", "Cafe", false},
		{"Hindi", "आशा", "आशा", true},

		{"milliseconds", "2025-12-31 18:00:00", "2025-12-31 18:00:00.000", true},
		{"other milliseconds", "2025-12-31 18:00:00", "2025-12-31 18:00:00.997", true},
		{"T and Z", "2025-12-31 18:00:00", "2025-12-31T18:00:00Z", true},
		{"another zone, same instant", "2025-12-31 18:00:00", "2025-12-31T23:30:00+05:30", true},
		{"month first", "2025-12-31 18:00:00", "12/31/2025 6:00:00 PM", true},
		{"day first is another date", "2025-12-01 18:00:00", "01/12/2025 18:00:00", false},
		{"another second", "2025-12-31 18:00:00", "2025-12-31 18:00:01.000", false},
		{"another day", "2025-12-31 18:00:00", "2025-12-30 18:00:00", false},
		{"date alone", "2025-12-31", "2025-12-31 00:00:00.000", true},
		{"date alone, shifted", "2025-12-31", "2025-12-30 18:30:00", false},
		{"date that is none", "2025-02-30 00:00:00", "2025-03-02 00:00:00", false},
		{"text that looks like a date", "1/2/2025", "2025-01-02", false},

		{"decimals", "3", "3.00", true},
		{"decimals of none", "3.00", "3", true},
		{"a zero fewer", "3.10", "3.1", true},
		{"3 is not 30", "3", "30", false},
		{"3 is not 3.01", "3", "3.01", false},
		{"3 is not 33", "3", "33.00", false},
		{"negative", "-3", "-3.00", true},
		{"another sign", "3", "-3", false},
		{"zero", "0", "0.00", true},
		{"half", "0.5", "0.50", true},
		{"half without its zero", ".5", "0.50", false},
		{"grouped", "1234567.5", "1,234,567.50", true},
		{"grouped the Indian way", "1234567.5", "12,34,567.50", true},
		{"a comma that groups nothing", "123", "1,23", false},
		{"big", "12345678901234567890", "12345678901234567890.00", true},
		{"big, one off", "12345678901234567890", "12345678901234567891.00", false},
		{"power", "1000000000000000", "1E+15", true},
		{"another power", "1000000000000001", "1E+15", false},
		{"rounded to cents", "1234.567", "1234.57", true},
		{"cut to cents", "1234.567", "1234.56", true},
		{"rounded away", "1234.567", "1234.50", false},
		{"rounded to whole", "3.4", "3", false},
		{"rounded to tenths", "3.44", "3.4", false},
		{"an id with zeros", "0123", "0123", true},
		{"an id with zeros is not its number", "0123", "123", false},
		{"an id with zeros in a number field", "0123", "123.00", true},
		{"a number is not an id with zeros", "123", "0123", false},
		{"a number is not an id with zeros and decimals", "123", "0123.00", false},
		{"zeros before a point", "00.5", "0.50", true},
		{"number and text", "3", "3 pieces", false},

		{"true", "true", "True", true},
		{"true is 1", "true", "1", true},
		{"true is yes", "true", "Yes", true},
		{"1 is true", "1", "True", true},
		{"false is 0", "false", "0", true},
		{"true is not 0", "true", "0", false},
		{"true is not 11", "true", "11", false},

		{"phone", "+91-9876543210", "+91-9876543210", true},
		{"phone without hyphen", "+91-9876543210", "+919876543210", true},
		{"phone without plus", "+91-9876543210", "919876543210", true},
		{"phone without country code", "+91-9876543210", "9876543210", true},
		{"phone with blanks", "+91-9876543210", "+91 98765 43210", true},
		{"another country", "+91-9876543210", "+1-9876543210", false},
		{"national number under a plus", "+91-9876543210", "+9876543210", false},
		{"another phone", "+91-9876543210", "+91-9876543211", false},
		{"a digit fewer", "+91-9876543210", "987654321", false},
		{"country code put in front", "9876543210", "+91-9876543210", true},
		{"hyphen put in", "+919876543210", "+91-9876543210", true},
		{"another phone with its country code", "9876543211", "+91-9876543210", false},

		{"a tab inside, line break behind", "0\t0", "0\t0\r\n", true},

		{"several options", "A;B", "A; B", true},
		{"several options in other order", "A;B", "B;A", false},
		{"an option fewer", "A;B", "A", false},
		{"several options, closed", "A;B", "A;B;", true},

		{"cut after 200", long, long[:200], true},
		{"cut after 40", long, long[:40], false},
		{"200 others", long, strings.Repeat("wordz ", 34), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := SameValue(c.sent, c.got); got != c.want {
				t.Errorf("SameValue(%q, %q) = %v", c.sent, c.got, got)
			}
		})
	}
}

func FuzzSameValue(f *testing.F) {
	seeds := [][2]string{{"3", "3.00"}, {"2025-12-31", "2025-12-31 00:00:00.000"}, {"+91-9876543210", "919876543210"}, {"a\r\nb", "a\nb"}, {"true", "1"}, {"0123", "123.00"}, {"A;B", "A; B"}, {"1e5", "1E+5"}, {"R&D", "R&amp;D"}}
	for _, s := range seeds {
		f.Add(s[0], s[1])
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, sent, got string) {
		same := SameValue(sent, got)
		if sent == got && !same {
			t.Errorf("%q is not itself", sent)
		}
		if !SameValue(sent, " "+sent+"\r\n") {
			t.Errorf("%q is not itself with blanks", sent)
		}
		if strings.TrimSpace(sent) != "" && SameValue(sent, "") && plainText(sent) != "" {
			t.Errorf("%q is nothing", sent)
		}
	})
}

func BenchmarkSameValue(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		SameValue("2025-12-31 18:00:00", "2025-12-31 18:00:00.000")
		SameValue("1234.5", "1234.50")
		SameValue("Open", "Lost")
	}
}

const captureSample = `{"LeadDetails":[{"Attribute":"EmailAddress","Value":"a@example.com"},{"Attribute":"ProspectID","Value":"l-1"},{"Attribute":"__UseUserDefinedGuid__","Value":"true"},{"Attribute":"SearchBy","Value":"ProspectId"}],"Opportunity":{"OpportunityEventCode":12000,"OpportunityNote":" a note ","OpportunityDateTime":"2025-12-31 18:00:00","OverwriteFields":true,"Fields":[{"SchemaName":"mx_Custom_1","Value":"Deal 1"},{"SchemaName":"Status","Value":"Open"},{"SchemaName":"mx_Custom_6","Value":"3"},{"SchemaName":"mx_Custom_7","Value":""},{"SchemaName":"mx_Custom_8","Value":"2025-12-31 18:00:00"}]}}`

func TestParseCapture(t *testing.T) {
	got, err := ParseCapture([]byte(captureSample))
	if err != nil {
		t.Fatal(err)
	}
	want := Sent{
		EventCode: 12000, Note: " a note ", DateTime: "2025-12-31 18:00:00", SearchBy: "ProspectId", ProspectID: "l-1",
		Lead:   []Pair{{"EmailAddress", "a@example.com"}, {"ProspectID", "l-1"}},
		Fields: []Pair{{"mx_Custom_1", "Deal 1"}, {"Status", "Open"}, {"mx_Custom_6", "3"}, {"mx_Custom_7", ""}, {"mx_Custom_8", "2025-12-31 18:00:00"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.LeadValue("emailaddress") != "a@example.com" || got.LeadValue("Phone") != "" {
		t.Error("LeadValue")
	}
	c := got.Compare(map[string]string{"OpportunityNote": "a note", "mx_custom_1": "Deal 1", "Status": "Won", "mx_Custom_6": "3.00", "mx_Custom_7": "x"})
	if want := (Comparison{Same: []string{"OpportunityNote", "mx_Custom_1", "mx_Custom_6"}, Differ: []string{"Status"}, Absent: []string{"mx_Custom_8"}, Other: []string{"Status"}}); !reflect.DeepEqual(c, want) {
		t.Errorf("compare %+v, want %+v", c, want)
	}
	for _, bad := range []string{``, `[]`, `{}`, `{"Opportunity":{}}`, `{"Opportunity":{"OpportunityEventCode":"x"}}`, `{"Opportunity":[]}`} {
		if got, err := ParseCapture([]byte(bad)); err == nil {
			t.Errorf("%s is %+v", bad, got)
		}
	}
}

func TestNoteUnderItsOtherName(t *testing.T) {
	s := Sent{Note: "x"}
	if c := s.Compare(map[string]string{"OpportunityNote": "", "ActivityEvent_Note": "x"}); len(c.Same) != 1 {
		t.Errorf("%+v", c)
	}
	if c := s.Compare(map[string]string{"Status": "Open"}); len(c.Absent) != 1 {
		t.Errorf("%+v", c)
	}
}

var saleForm = Flat{Lead: "ProspectId", Stored: map[string]string{
	"ProductSku": "", "Revenue": "mx_Custom_2", "SalesDate": "mx_Custom_3", "SalesOwner": "mx_Custom_4", "SalesOwnerEmail": "",
}}

func TestParseFlat(t *testing.T) {
	got, err := ParseFlat([]byte(`{"ProspectId":"l-1","ProductSku":"SKU1","Status":"Open","Revenue":1200.50,"SalesOwnerEmail":"a@example.com","SalesDate":"2025-12-31 18:00:00","mx_Custom_5":"INV-1"}`), saleForm)
	if err != nil {
		t.Fatal(err)
	}
	want := []Pair{{"ProductSku", "SKU1"}, {"Status", "Open"}, {"Revenue", "1200.50"}, {"SalesOwnerEmail", "a@example.com"}, {"SalesDate", "2025-12-31 18:00:00"}, {"mx_Custom_5", "INV-1"}}
	if got.ProspectID != "l-1" || !reflect.DeepEqual(got.Fields, want) {
		t.Errorf("%+v", got)
	}
	c := got.Compare(map[string]string{"mx_Custom_1": "p-1", "ProductName": "sku1 - Product", "Status": "Open", "mx_Custom_2": "1200.50", "mx_Custom_3": "2025-12-31 18:00:00.000", "mx_Custom_4": "u-1", "mx_Custom_5": "INV-2"})
	if want := (Comparison{Same: []string{"ProductSku", "Status", "Revenue", "SalesDate"}, Differ: []string{"mx_Custom_5"}, Unknown: []string{"SalesOwnerEmail"}, Other: []string{"mx_Custom_5"}}); !reflect.DeepEqual(c, want) {
		t.Errorf("compare %+v, want %+v", c, want)
	}
	for name, known := range map[string]bool{"SKU10 - Product": false, "XSKU1": false, "Product": false, "Thing SKU1": true, "Thing (sku1)": true, "SKU1": true} {
		c := got.Compare(map[string]string{"ProductName": name})
		if len(c.Differ) != 0 || slices.Contains(c.Same, "ProductSku") != known {
			t.Errorf("product name %q: %+v", name, c)
		}
	}
	if _, err := ParseFlat([]byte(`x`), saleForm); err == nil {
		t.Error("no error")
	}
}

func TestPlainlyOther(t *testing.T) {
	for _, c := range []struct {
		sent, got string
		want      bool
	}{
		{"Pune", "Goa", true},
		{"Annual plan", "Enquiry from the web form", true},
		{"26751.82", "126751", true},
		{"INV-1", "INV-2", true},
		{"26751.82", "26752", false},                                // rounded
		{"1000000", "1000000.004", false},                           // likewise
		{"Called twice, in the evening", "called twice, in", false}, // cut
		{"10", "INR 10.00", false},                                  // with its currency
		{"Pune", "", false},                                         // emptied
		{"Open", "1", false},                                        // an option kept under a number
		{"a@example.com", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d", false},
		{"9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d", "1b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d", false},
		{"2026-03-01 10:00:00", "2026-03-01 04:30:00", false}, // another zone
		{"2026-03-01", "01/03/2026", false},
		{"+91-9876543210", "09876543210", false},
	} {
		if got := plainlyOther(c.sent, c.got); got != c.want {
			t.Errorf("%q and %q: %v, want %v", c.sent, c.got, got, c.want)
		}
	}
}
