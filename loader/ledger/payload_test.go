package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestPayloadForms reads what was sent as it is kept now and as older ledgers have it.
func TestPayloadForms(t *testing.T) {
	many := strings.Repeat(`{"SchemaName":"mx_Custom_1","Value":"Asha Rao"},`, 40)
	for _, p := range []Payload{
		{Target: "opportunity"},
		{Target: "opportunity", Body: `{"a":"é\u0000"}`, Lead: "EmailAddress=a@example.com", KeyFields: []string{"Fields.x"}, Constants: []string{"y"}},
		{Target: "sales-activity", Body: many, Lookup: json.RawMessage(`{"d":true}`)},
		{Target: "opportunity", Body: "\xff\x01", Edit: &Edit{ID: "O-1", Names: []string{"Status"}, Prints: []byte{1, 2, 3, 4}, Body: []byte{5}}},
	} {
		now, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		var back Payload
		if err := back.Decode(now); err != nil || !reflect.DeepEqual(back, p) {
			t.Errorf("%+v comes back as %+v, %v", p, back, err)
		}
		if p.Body == many && len(now) > len(many)/4 {
			t.Errorf("%d bytes are kept as %d", len(many), len(now))
		}
		if p.Body == "\xff\x01" {
			continue // JSON could not hold it
		}
		old, err := json.Marshal(&p)
		if err != nil {
			t.Fatal(err)
		}
		back = Payload{}
		if err := back.Decode(old); err != nil || !reflect.DeepEqual(back, p) {
			t.Errorf("of an older ledger, %+v comes back as %+v, %v", p, back, err)
		}
		for n := range now {
			if n > 0 && !errors.Is(new(Payload).Decode(now[:n]), ErrPayload) {
				t.Errorf("%d of %d bytes can be read", n, len(now))
			}
		}
	}
	if err := new(Payload).Decode([]byte{packedForm, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}); !errors.Is(err, ErrPayload) {
		t.Errorf("a payload of 4 GB: %v", err)
	}
}

func BenchmarkEncode(b *testing.B) {
	p := Payload{Target: "opportunity", LeadField: "EmailAddress", LeadValue: "a@example.com", Lead: "EmailAddress=a@example.com", KeyFields: []string{"Fields.mx_Custom_1"}}
	var fields []string
	for n := range 16 {
		fields = append(fields, fmt.Sprintf(`{"SchemaName":"mx_Custom_%d","Value":"%d"}`, n, 7919*n))
	}
	p.Body = `{"Fields":[` + strings.Join(fields, ",") + `]}`
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}
