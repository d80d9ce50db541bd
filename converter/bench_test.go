package converter

import (
	"strconv"
	"testing"
)

// perSecond reports how many values a second one core converts.
func perSecond(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "values/s")
}

func BenchmarkConvert(b *testing.B) {
	newYork, kolkata := mustZone(b, "America/New_York"), mustZone(b, "Asia/Kolkata")
	for _, bc := range []struct {
		name string
		spec Spec
		cell Cell
	}{
		{"text", Spec{MaxLength: 200}, text("Asha Rao, Bengaluru")},
		{"text/values", Spec{Values: []Option{{"Closed Won", "Won"}, {"Closed Lost", "Lost"}}}, text("Closed won")},
		{"number/plain", Spec{Type: Number}, text("120000.50")},
		{"number/grouped", Spec{Type: Number}, text("₹1,20,000.50")},
		{"number/european", Spec{Type: Number, Decimal: ','}, text("1.234,56")},
		{"number/cell", Spec{Type: Number}, numeric("1234.5")},
		{"integer", Spec{Type: Integer}, text("12000")},
		{"datetime/kolkata", Spec{Type: DateTime, Formats: []string{"dd/MM/yyyy HH:mm"}, Location: kolkata}, text("31/12/2025 23:30")},
		{"datetime/newyork", Spec{Type: DateTime, Formats: []string{"dd/MM/yyyy HH:mm"}, Location: newYork}, text("31/12/2025 23:30")},
		{"datetime/second-format", Spec{Type: DateTime, Formats: []string{"dd/MM/yyyy HH:mm", "dd/MM/yyyy"}, Location: newYork}, text("31/12/2025")},
		{"datetime/names", Spec{Type: DateTime, Formats: []string{"dd MMM yyyy hh:mm a"}, Location: kolkata}, text("31 Dec 2025 11:30 PM")},
		{"datetime/iso", Spec{Type: DateTime, Location: kolkata}, text("2025-12-31T23:30:15+05:30")},
		{"datetime/serial", Spec{Type: DateTime, Location: kolkata}, serial("46000.979166666664")},
		{"date", Spec{Type: Date, Formats: []string{"dd/MM/yyyy"}}, text("31/12/2025")},
		{"email", Spec{Type: Email}, text("asha.rao@example.co.in")},
		{"phone/plain", Spec{Type: Phone, Region: "IN"}, text("9876543210")},
		{"phone/spaced", Spec{Type: Phone, Region: "IN"}, text("+91 98765 43210")},
		{"phone/abroad", Spec{Type: Phone, Region: "IN"}, text("+1 212 555 0123")},
		{"phone/library", Spec{Type: Phone, Region: "IN"}, text("98765.43210")},
		{"boolean", Spec{Type: Boolean}, text("Yes")},
	} {
		b.Run(bc.name, func(b *testing.B) {
			c := mustNew(b, bc.spec)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Convert(bc.cell, nil); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b)
		})
	}
}

// BenchmarkPhones converts numbers that are all different, as a file has them.
func BenchmarkPhones(b *testing.B) {
	c := mustNew(b, Spec{Type: Phone, Region: "IN"})
	cells := make([]Cell, 1000)
	for i := range cells {
		cells[i] = text(strconv.Itoa(9800000000 + i*99991))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := c.Convert(cells[i%len(cells)], nil); err != nil {
			b.Fatal(err)
		}
		i++
	}
	perSecond(b)
}

func BenchmarkClean(b *testing.B) {
	for name, s := range map[string]string{"plain": "Asha Rao, Bengaluru", "unicode": "आशा राव, बेंगलुरु", "nbsp": "Asha\u00a0Rao "} {
		b.Run(name, func(b *testing.B) {
			cell := text(s)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Clean(cell); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b)
		})
	}
}

func BenchmarkProblem(b *testing.B) {
	c := mustNew(b, Spec{Type: DateTime, Formats: []string{"dd/MM/yyyy HH:mm"}, Location: mustZone(b, "Asia/Kolkata")})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Convert(text("not a date"), nil); err == nil {
			b.Fatal("no problem")
		}
	}
}

func BenchmarkNew(b *testing.B) {
	s := Spec{Type: DateTime, Formats: []string{"dd/MM/yyyy HH:mm", "dd/MM/yyyy"}, Location: mustZone(b, "America/New_York")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(s); err != nil {
			b.Fatal(err)
		}
	}
}
