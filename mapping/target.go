package mapping

// Target is what a mapping's rows become in the account.
type Target string

// The targets that a mapping may name.
const (
	Opportunity      Target = "opportunity"
	OpportunityAsync Target = "opportunity-async"
	SalesActivity    Target = "sales-activity"
)

// spec is all that this package must know of one target. A target without a
// spec cannot be parsed, so that no row of it ever becomes something else.
type spec struct {
	name      Target
	keys      string                   // which of the keys it takes: forCaptures or forSales
	parse     func(*parsing, settings) // reads its keys
	draft     func(*draft)             // drafts them
	leadField func(*Mapping) string    // the member of the body that names the lead
	layout    layout
}

// layout is how the fields stand in the body.
type layout uint8

const (
	captureLayout layout = iota + 1 // LeadDetails, and Opportunity with its Fields
	flatLayout                      // one object
)

// specs are the targets, in the order in which people read of them.
var specs = []*spec{
	{name: Opportunity, keys: forCaptures, parse: (*parsing).capture, draft: (*draft).capture, leadField: captureLead, layout: captureLayout},
	{name: OpportunityAsync, keys: forCaptures, parse: (*parsing).capture, draft: (*draft).capture, leadField: captureLead, layout: captureLayout},
	{name: SalesActivity, keys: forSales, parse: (*parsing).sales, draft: (*draft).sales, leadField: salesLead, layout: flatLayout},
}

// Targets returns the names of all targets.
func Targets() []Target {
	out := make([]Target, len(specs))
	for i, s := range specs {
		out[i] = s.name
	}
	return out
}

// Known reports whether the mapping format has the target.
func (t Target) Known() bool { return lookUpSpec(t) != nil }

func lookUpSpec(t Target) *spec {
	for _, s := range specs {
		if s.name == t {
			return s
		}
	}
	return nil
}

// specOf returns the spec of a target that has been checked. It panics on an
// unknown one: to treat it as another would write the wrong records.
func specOf(t Target) *spec {
	if s := lookUpSpec(t); s != nil {
		return s
	}
	panic("mapping: no spec for target " + string(t))
}

func captureLead(m *Mapping) string { return m.SearchBy }

func salesLead(*Mapping) string { return "ProspectId" }
