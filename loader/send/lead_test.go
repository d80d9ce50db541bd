package send

import (
	"encoding/json"
	"testing"

	"leadload/loader/ledger"
	"leadload/loader/target"
	"leadload/mapping"
)

// TestLookupOfOldLedgers reads payloads as earlier versions wrote them, with
// the lead rules beside the body.
func TestLookupOfOldLedgers(t *testing.T) {
	for _, c := range []struct {
		name, stored string
		again        bool
		want         lookup
	}{
		{"looked up, not sent yet", `{"t":"sales-activity","b":"{\"Status\":\"Won\"}","f":"EmailAddress","v":"a@example.com","l":"x","d":true,"i":"create","n":"newest","w":"A@example.com"}`, true,
			lookup{Find: true, IfMissing: "create", IfMany: "newest", LeadText: "A@example.com"}},
		{"sent with the lead's id", `{"t":"sales-activity","b":"{\"ProspectId\":\"l-1\",\"Status\":\"Won\"}","d":true,"i":"reject","n":"reject"}`, true, lookup{IfMissing: "reject", IfMany: "reject"}},
		{"a cell that reads ProspectId is not the lead's id", `{"t":"sales-activity","b":"{\"Status\":\"Won\",\"mx_Custom_5\":\"ProspectId\"}","d":true}`, true, lookup{Find: true}},
		{"a capture whose lead must exist", `{"t":"opportunity","b":"{}","f":"Phone","v":"919876543210","m":true}`, false, lookup{MustExist: true}},
		{"a capture", `{"t":"opportunity","b":"{}","f":"Phone","v":"919876543210"}`, true, lookup{}},
		{"a row that leaves a field out", `{"t":"opportunity","b":"{}","f":"Phone","v":"919876543210","o":["mx_Custom_3"]}`, false, lookup{}},
		{"as it is written now", `{"t":"sales-activity","b":"{\"Status\":\"Won\"}","u":{"d":true,"n":"newest"}}`, true, lookup{Find: true, IfMany: "newest"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := Row{again: c.again}
			check(t, json.Unmarshal([]byte(c.stored), &j.Payload))
			got, err := j.lookup(target.For(mapping.Target(j.Payload.Target)))
			check(t, err)
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			// It survives being written again, as a payload and with its row.
			text, err := json.Marshal(&j)
			check(t, err)
			back := Row{again: c.again}
			check(t, json.Unmarshal(text, &back))
			if got, err := back.lookup(target.For(mapping.Target(j.Payload.Target))); err != nil || got != c.want {
				t.Errorf("read back: %+v, %v", got, err)
			}
		})
	}
}

func TestNoLookupIsWritten(t *testing.T) {
	if text := (lookup{IfMissing: "reject", IfMany: "reject"}).encode(); text != nil {
		t.Errorf("a row whose lead is not looked up keeps %s", text)
	}
	text, err := json.Marshal(ledger.Payload{Target: "opportunity", Body: "{}"})
	if err != nil || string(text) != `{"t":"opportunity","b":"{}"}` {
		t.Errorf("%s, %v", text, err)
	}
}
