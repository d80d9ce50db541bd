package mapping

import (
	"slices"
	"strings"
)

// Target is what a mapping's rows become in the account.
type Target string

// spec is all that this package must know of one target: its file has the
// table of its keys, the layout of its body, and how its keys are read. A
// target without a spec cannot be parsed, so that no row of it ever becomes
// something else.
type spec struct {
	name Target
	many string // what people call its records
	// takes are the keys of leadPolicies that it takes, beside its groups.
	takes  []string
	groups []key // its own keys at the top of the mapping
	layout []*group
	parse  func(*parsing, settings) // reads its keys
	draft  func(*draft)             // drafts them
	// lead is the member of the body that names the lead by its id; "" where the
	// account finds the lead by search_by.
	lead  string
	typed bool // it has types, each with fields of its own
}

// specs are the targets, in the order in which people read of them.
var specs = []*spec{&opportunity, &opportunityAsync, &salesActivity}

// group is a part of the request body: fields that stand together.
type group struct {
	label string    // "LeadDetails": it stands before the fields' names in Record.Fields
	part  Part      // the call of an update that writes its fields
	kind  FieldKind // whose fields they are
	fixed []key     // the fields whose meaning is known; others are the account's own

	open, close string
	// named is what a field's name is called: {"SchemaName": name, "Value": value}.
	// Fields stand as members of the body where it is "".
	named    string
	optional bool                         // it is left out when it has no field
	tail     func(*Runner, []byte) []byte // writes what stands behind its fields
}

// field finds a field whose meaning is known, or nil.
func (g *group) field(name string) *key { return findKey(g.fixed, name) }

// Targets returns the names of all targets.
func Targets() []Target {
	out := make([]Target, len(specs))
	for i, s := range specs {
		out[i] = s.name
	}
	return out
}

// TargetWords lists the targets in a sentence: "opportunity, … or sales-activity".
func TargetWords() string {
	last := len(targetNames) - 1
	return strings.Join(targetNames[:last], ", ") + " or " + targetNames[last]
}

// TargetNames lists the targets as a mapping writes them.
func TargetNames() []string { return slices.Clone(targetNames) }

var targetNames = func() (out []string) {
	for _, t := range Targets() {
		out = append(out, string(t))
	}
	return out
}()

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

// has reports whether the target takes a key of the top of the mapping.
func (s *spec) has(k *key) bool {
	if slices.Contains(s.takes, k.name) || findKey(s.groups, k.name) != nil {
		return true
	}
	return findKey(leadPolicies, k.name) == nil && len(takers(k)) == 0
}

// takers returns the targets that a key is only for; none means all targets.
func takers(k *key) []*spec {
	var out []*spec
	for _, s := range specs {
		if slices.Contains(s.takes, k.name) || findKey(s.groups, k.name) != nil {
			out = append(out, s)
		}
	}
	return out
}

// topKeys are the keys at the top of a mapping: those of every target, and
// the groups of each, once.
var topKeys = func() []key {
	keys := slices.Concat(firstKeys, leadPolicies, lastKeys)
	for _, s := range specs {
		for _, k := range s.groups {
			if findKey(keys, k.name) == nil {
				keys = append(keys, k)
			}
		}
	}
	return keys
}()

// Create appends the request body that makes a record to dst. lead is the id
// of a lead that was looked up; "" means that the body needs none.
func (t Target) Create(dst, body []byte, lead string) []byte {
	s := specOf(t)
	if lead == "" || s.lead == "" {
		return append(dst, body...)
	}
	dst = append(dst, '{')
	dst = appendJSON(dst, s.lead)
	dst = append(dst, ':')
	dst = appendJSON(dst, lead)
	if rest := body[1:]; rest[0] != '}' { // a Runner's body begins with its brace
		dst = append(dst, ',')
	}
	return append(dst, body[1:]...)
}

// Stored is the form in which the account returns a member of a body.
type Stored struct {
	Schema    string // its schema name
	OtherForm bool   // it comes back in another form, so that the two cannot be compared
}

// Stored returns the members of a target's body that the account has under
// another name.
func (t Target) Stored() map[string]Stored {
	out := map[string]Stored{}
	for _, g := range specOf(t).layout {
		for _, k := range g.fixed {
			if k.stored != "" {
				out[k.name] = Stored{k.stored, k.lost}
			}
		}
	}
	return out
}
