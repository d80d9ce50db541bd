// Package mapping reads the YAML mapping, checks it against a file's header
// and turns rows into request bodies.
//
// Parse gives all faults of a mapping at once, Compile all that a header
// brings to light, and a Runner then turns one row after another into a Record:
//
//	m, err := mapping.Parse("deals.yaml", text)
//	p, err := m.Compile(header)
//	r := p.Runner()                  // one for each goroutine
//	var rec mapping.Record
//	r.Map(cells, &rec)
//
// A row that cannot be sent is no error but data: Record.Problems has all that
// is wrong with it. Nothing here reads a clock, a file or the environment.
package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Mapping is a parsed mapping file.
type Mapping struct {
	Name     string // the file's name, as the user gave it
	Hash     string // hex SHA-256 of the file
	Target   Target
	Timezone string
	Key      []string // columns that name a row for good; none is allowed
	Input    Input
	// SearchBy is the lead attribute by which the account finds the lead of a capture.
	SearchBy string
	// LeadMustExist asks for a look-up before a capture, which would otherwise create the lead.
	LeadMustExist bool
	// Lead is how a sales activity's lead is found; FindBy is "" when ProspectId is mapped.
	Lead LeadRule
	// EventCode is the opportunity type when it is the same for all rows, else 0.
	EventCode int
	// Set keeps loads of the same rows apart: each set has records of its own.
	Set string
	// Updates reports that on_change says update.
	Updates bool

	spec     *spec  // of Target
	text     string // the file, for the excerpts of what Compile finds
	zone     *time.Location
	keyNodes []*node
	ignore   []*node
	skipWhen *expression
	leadRule *field   // sales: the field that the lead is found by
	fields   []*field // in the order of the request body
	switches []switchValue
	warnings []string
}

// switchValue is a member of a capture that is true or false for all rows.
type switchValue struct {
	name string
	on   bool
}

// Input is the mapping's word on how the file is to be read.
type Input struct {
	Sheet     string
	HeaderRow int
	Delimiter string
	Encoding  string
	Decimal   string
}

// LeadRule says how the lead of a sales activity is found.
type LeadRule struct {
	FindBy    string // EmailAddress, Phone or another unique field's schema name
	IfMissing string // "reject" (default) or "create"
	IfMany    string // "reject" (default) or "newest"
}

// Parse reads a mapping. The error is Problems and holds every fault of the
// file that can be seen without a header.
func Parse(name string, text []byte) (*Mapping, error) {
	sum := sha256.Sum256(text)
	clean := normalise(text)
	m := &Mapping{Name: name, Hash: hex.EncodeToString(sum[:]), text: clean}
	c := newCollector(name, clean)
	root := parseYAML(c, "mapping", clean)
	if root != nil {
		(&parsing{collector: c, m: m}).mapping(root)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return m, nil
}

// Text returns the mapping file, from which Parse makes the mapping again.
func (m *Mapping) Text() string { return m.text }

// TypeVaries reports that each row says what type of opportunity it is.
func (m *Mapping) TypeVaries() bool { return m.spec.typed && m.EventCode == 0 }

// normalise takes what Windows editors add: a byte-order mark and carriage returns.
func normalise(text []byte) string {
	s := strings.TrimPrefix(string(text), "\ufeff")
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}
