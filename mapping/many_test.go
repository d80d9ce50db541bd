package mapping

import (
	"encoding/json"
	"reflect"
	"testing"

	"leadload/converter"
)

// TestCreateAmongMany holds what is cut out of a body against what a decoder reads in it.
func TestCreateAmongMany(t *testing.T) {
	const lead, opp = `{"LeadDetails":[{"Attribute":"EmailAddress","Value":"a@example.com"},{"Attribute":"SearchBy","Value":"EmailAddress"}],`, `"Opportunity":{"OpportunityEventCode":12000`
	for _, c := range []struct {
		name, body string
		cut        bool // by the quick way
		want       string
	}{
		{"fields", lead + opp + `,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"},{"SchemaName":"Status","Value":"Open"}]}}`, true,
			`{"SearchByValue":"a@example.com","OpportunityEventCode":12000,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"},{"SchemaName":"Status","Value":"Open"}]}`},
		{"a note, quotes and brackets", lead + opp + `,"OpportunityNote":"5 \" tall, ]}\\","Fields":[{"SchemaName":"mx_Custom_1","Value":"}]\\\""}]}}`, true,
			`{"SearchByValue":"a@example.com","OpportunityEventCode":12000,"OpportunityNote":"5 \" tall, ]}\\","Fields":[{"SchemaName":"mx_Custom_1","Value":"}]\\\""}]}`},
		{"a switch", lead + opp + `,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}],"DoNotChangeOwner":true}}`, false,
			`{"SearchByValue":"a@example.com","OpportunityEventCode":12000,"DoNotChangeOwner":true,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}`},
		{"spaces", lead + ` ` + opp + `, "Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}}`, false,
			`{"SearchByValue":"a@example.com","OpportunityEventCode":12000,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}`},
		{"the attribute is written with escapes", `{"LeadDetails":[{"Attribute":"Email\u0041ddress","Value":"a@example.com"},{"Attribute":"SearchBy","Value":"Email\u0041ddress"}],` + opp + `,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}}`, false,
			`{"SearchByValue":"a@example.com","OpportunityEventCode":12000,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}`},
		{"another attribute of the lead", `{"LeadDetails":[{"Attribute":"EmailAddress","Value":"a@example.com"},{"Attribute":"mx_City","Value":"Bern"},{"Attribute":"SearchBy","Value":"EmailAddress"}],` + opp + `,"Fields":[]}}`, false, ""},
		{"found by an id", `{"LeadDetails":[{"Attribute":"ProspectID","Value":"1"},{"Attribute":"SearchBy","Value":"ProspectID"}],` + opp + `,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}}`, false, ""},
		{"found by another field", `{"LeadDetails":[{"Attribute":"EmailAddress","Value":"a@example.com"},{"Attribute":"SearchBy","Value":"Phone"}],` + opp + `,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}}`, false, ""},
		{"no value", `{"LeadDetails":[{"Attribute":"EmailAddress","Value":""},{"Attribute":"SearchBy","Value":"EmailAddress"}],` + opp + `,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}}`, false, ""},
		{"a time", lead + opp + `,"OpportunityDateTime":"2026-01-01 00:00:00","Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}}`, false, ""},
		{"a switch of captures alone", lead + opp + `,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}],"OverwriteFields":true}}`, false, ""},
		{"a field set", lead + opp + `,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x","Fields":[]}]}}`, false, ""},
		{"cut off", lead + opp + `,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x`, false, ""},
		{"more behind it", lead + opp + `,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}}{}`, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, cut := cutAmongMany([]byte(c.body)); cut != c.cut {
				t.Errorf("cut: %v", cut)
			}
			got, fits := CreateAmongMany([]byte(c.body))
			if fits != (c.want != "") || fits && (!sameJSON(got.Object, []byte(c.want)) || got.SearchBy != "EmailAddress" || got.Code != 12000) {
				t.Errorf("%v: %s by %s of %d", fits, got.Object, got.SearchBy, got.Code)
			}
		})
	}
}

// TestRowsAreCut says that the bodies of rows go the quick way.
func TestRowsAreCut(t *testing.T) {
	m, err := Parse("deals.yaml", []byte("version: 1\ntarget: opportunity\nkey: Deal\nsearch_by: EmailAddress\nlead_must_exist: true\nLeadDetails:\n  EmailAddress: Email\nOpportunity:\n  OpportunityEventCode: 12000\n  OpportunityNote: Deal\n  Fields:\n    mx_Custom_1: Name\n    Status: {value: Open}\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Compile([]string{"Deal", "Email", "Name"})
	if err != nil {
		t.Fatal(err)
	}
	var rec Record
	p.Runner().Map([]converter.Cell{{Kind: converter.TextCell, Text: "D1"}, {Kind: converter.TextCell, Text: "a@example.com"}, {Kind: converter.TextCell, Text: `Ada "the <first>" & co`}}, &rec)
	n, ok := cutAmongMany(rec.Body)
	slow, fits := readAmongMany(rec.Body)
	if !ok || !fits || !sameJSON(n.Object, slow.Object) || n.SearchBy != slow.SearchBy || n.Code != slow.Code {
		t.Errorf("%s: cut %v %s, read %v %s", rec.Body, ok, n.Object, fits, slow.Object)
	}
}

func FuzzAmongMany(f *testing.F) {
	f.Add(`{"LeadDetails":[{"Attribute":"EmailAddress","Value":"a"},{"Attribute":"SearchBy","Value":"EmailAddress"}],"Opportunity":{"OpportunityEventCode":12000,"OpportunityNote":"n","Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		n, ok := cutAmongMany([]byte(body))
		if !ok || !json.Valid([]byte(body)) {
			return
		}
		slow, fits := readAmongMany([]byte(body))
		if !fits || !sameJSON(n.Object, slow.Object) || n.SearchBy != slow.SearchBy || n.Code != slow.Code {
			t.Errorf("%s: cut %s, read %v %s", body, n.Object, fits, slow.Object)
		}
	})
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
