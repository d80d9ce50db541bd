package sandbox

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// Opportunity is one opportunity that the account holds.
type Opportunity struct {
	ID         string
	LeadID     string
	EventCode  int
	Note       string
	DateTime   string            // OpportunityDateTime as it was sent; "" where it was not
	Fields     map[string]string // by schema name, as they were sent
	CreatedOn  time.Time         // by the account's clock, UTC
	ModifiedOn time.Time         // the same as CreatedOn until the first change
	Body       json.RawMessage   // the raw request; nil with Options.DropBodies, and for records made by hand
	// Call is the number of the call that made it, from 1 on; 0: it was made by hand.
	// Two records of one call were made because a proxy repeated it.
	Call int64
}

// SalesActivity is one sales activity that the account holds.
type SalesActivity struct {
	ID         string
	LeadID     string
	ProductSku string
	Status     string
	Revenue    string            // the JSON number, digit for digit; "" where it was not sent
	Owner      string            // SalesOwnerEmail or SalesOwner, as it was sent
	SalesDate  string            // as it was sent
	Fields     map[string]string // mx_Custom_5 to mx_Custom_15, as they were sent
	CreatedOn  time.Time
	Body       json.RawMessage
	Call       int64 // as Opportunity has it
}

// Lead is one lead that the account holds.
type Lead struct {
	ID         string
	Attributes map[string]string // by schema name, as they were sent
	CreatedOn  time.Time
}

// id is a record's id: sixteen bytes, so that a million of them stay small.
type id [16]byte

func (v id) String() string {
	var b [36]byte
	hex.Encode(b[0:8], v[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], v[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], v[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], v[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], v[10:16])
	return string(b[:])
}

// parseID reads an id in either case; false is anything that is not one.
func parseID(s string) (v id, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return v, false
	}
	var hexed [32]byte
	n := 0
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		hexed[n] = s[i]
		n++
	}
	_, err := hex.Decode(v[:], hexed[:])
	return v, err == nil
}

// pair is one schema name with its value.
type pair struct{ name, value string }

func valueOf(pairs []pair, name string) string {
	for _, p := range pairs {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// names gives every schema name a small number, so that records can share them.
type names struct {
	list  []string
	index map[string]uint64
}

func (n *names) number(name string) uint64 {
	if i, ok := n.index[name]; ok {
		return i
	}
	if n.index == nil {
		n.index = map[string]uint64{}
	}
	i := uint64(len(n.list))
	name = strings.Clone(name)
	n.list = append(n.list, name)
	n.index[name] = i
	return i
}

// packed is a list of pairs in one string: one allocation a record where a map takes dozens.
type packed string

func (n *names) pack(pairs []pair) packed {
	size := 0
	for _, p := range pairs {
		size += len(p.value) + 4
	}
	b := make([]byte, 0, size)
	for _, p := range pairs {
		b = binary.AppendUvarint(b, n.number(p.name))
		b = binary.AppendUvarint(b, uint64(len(p.value)))
		b = append(b, p.value...)
	}
	return packed(b)
}

func (n *names) unpack(s packed) []pair {
	var pairs []pair
	b := []byte(s)
	for len(b) > 0 {
		name, k := binary.Uvarint(b)
		b = b[k:]
		size, k := binary.Uvarint(b)
		b = b[k:]
		pairs = append(pairs, pair{n.list[name], string(b[:size])})
		b = b[size:]
	}
	return pairs
}

// lead, opportunity and sale are the records as they are held; positions stand in for pointers.
type lead struct {
	id            id
	created       int64 // Unix nanoseconds by the account's clock
	attributes    packed
	opportunities []int32
	sales         []int32
	merged        bool // into another lead
}

type opportunity struct {
	id       id
	lead     int32
	code     int32
	created  int64
	modified int64
	note     string
	dateTime string
	fields   packed
	body     []byte
	call     int64
	gone     bool // deleted
}

type sale struct {
	id      id
	lead    int32
	created int64
	values  packed // the body's own keys
	body    []byte
	call    int64
	gone    bool // deleted by hand: the API only cancels
}

// revision is what a record was before one change.
type revision struct {
	at       int64  // when it was changed, by the account's clock
	by       string // who changed it
	modified int64  // ModifiedOn until then
	note     string
	values   packed
}

type lookup struct{ field, value string }

type ruleKey struct {
	code  int32
	value string
}

// store holds the account's records. Every look-up is by index: the account
// answers as fast with a million records as with ten. The caller locks.
type store struct {
	names    names
	leads    []lead
	opps     []opportunity
	sales    []sale
	leadByID map[id]int32
	oppByID  map[id]int32
	saleByID map[id]int32
	unique   map[lookup]int32   // folded value of a unique attribute → first lead with it
	digits   map[string][]int32 // digits of a phone, with and without the country code → leads
	rule     map[ruleKey]int32  // duplicate rule: value → first opportunity with it
	history  map[id][]revision  // of the records that were changed, oldest change first
	gone     struct {
		opps, sales int
		trails      []int32 // opportunities that stay in the trails of their leads
	}
}

func newStore() *store {
	return &store{
		leadByID: map[id]int32{}, oppByID: map[id]int32{}, saleByID: map[id]int32{},
		unique: map[lookup]int32{}, digits: map[string][]int32{}, rule: map[ruleKey]int32{}, history: map[id][]revision{},
	}
}

// fold brings a unique value to the form it is compared in: e-mails without
// regard to case, phones exactly as stored (field report: other shapes do not match).
func fold(field, value string) string {
	value = strings.TrimSpace(value)
	if field == "EmailAddress" {
		return strings.ToLower(value)
	}
	return value
}

func isPhone(field string) bool { return field == "Phone" || field == "Mobile" }

// phoneKeys are the digit strings under which a stored phone is found.
func phoneKeys(stored string) []string {
	all := onlyDigits(stored)
	if all == "" {
		return nil
	}
	_, national, ok := strings.Cut(stored, "-")
	if n := onlyDigits(national); ok && strings.HasPrefix(strings.TrimSpace(stored), "+") && n != "" && n != all {
		return []string{all, n}
	}
	return []string{all}
}

func onlyDigits(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// addLead keeps a new lead and indexes it.
func (s *store) addLead(v id, attributes []pair, unique []string, now time.Time) int32 {
	at := int32(len(s.leads))
	s.leads = append(s.leads, lead{id: v, created: now.UnixNano(), attributes: s.names.pack(attributes)})
	s.leadByID[v] = at
	s.indexLead(at, attributes, unique)
	return at
}

func (s *store) indexLead(at int32, attributes []pair, unique []string) {
	for _, field := range unique {
		value := fold(field, valueOf(attributes, field))
		if value == "" {
			continue
		}
		key := lookup{field, value}
		if _, taken := s.unique[key]; !taken {
			s.unique[key] = at
		}
		if !isPhone(field) {
			continue
		}
		for _, k := range phoneKeys(value) {
			if on := s.digits[k]; len(on) == 0 || on[len(on)-1] != at {
				s.digits[k] = append(on, at)
			}
		}
	}
}

func (s *store) unindexLead(at int32, attributes []pair, unique []string) {
	for _, field := range unique {
		value := fold(field, valueOf(attributes, field))
		if value == "" {
			continue
		}
		if s.unique[lookup{field, value}] == at {
			delete(s.unique, lookup{field, value})
		}
		if !isPhone(field) {
			continue
		}
		for _, k := range phoneKeys(value) {
			left := s.digits[k][:0:0]
			for _, other := range s.digits[k] {
				if other != at {
					left = append(left, other)
				}
			}
			if len(left) == 0 {
				delete(s.digits, k)
			} else {
				s.digits[k] = left
			}
		}
	}
}

// updateLead writes the attributes that have a value over those of a lead.
func (s *store) updateLead(at int32, changes []pair, unique []string) {
	before := s.names.unpack(s.leads[at].attributes)
	after, changed := merge(before, changes, false)
	if !changed {
		return
	}
	s.unindexLead(at, before, unique)
	s.leads[at].attributes = s.names.pack(after)
	s.indexLead(at, after, unique)
}

// merge puts changes over pairs: those with a value, and with onlyEmpty only where there was none.
func merge(pairs, changes []pair, onlyEmpty bool) (merged []pair, changed bool) {
	return mergeBlanks(pairs, changes, onlyEmpty, false)
}

// mergeBlanks is merge in which, with clear, a change without a value empties the field.
func mergeBlanks(pairs, changes []pair, onlyEmpty, clear bool) (merged []pair, changed bool) {
	merged = append(merged, pairs...)
next:
	for _, c := range changes {
		if strings.TrimSpace(c.value) == "" && !clear {
			continue
		}
		for i := range merged {
			if merged[i].name != c.name {
				continue
			}
			if merged[i].value != c.value && (!onlyEmpty || merged[i].value == "") {
				merged[i].value = c.value
				changed = true
			}
			continue next
		}
		merged = append(merged, c)
		changed = true
	}
	return merged, changed
}

func (s *store) addOpportunity(o opportunity) int32 {
	at := int32(len(s.opps))
	s.opps = append(s.opps, o)
	s.oppByID[o.id] = at
	s.leads[o.lead].opportunities = append(s.leads[o.lead].opportunities, at)
	return at
}

func (s *store) addSale(v sale) int32 {
	at := int32(len(s.sales))
	s.sales = append(s.sales, v)
	s.saleByID[v.id] = at
	s.leads[v.lead].sales = append(s.leads[v.lead].sales, at)
	return at
}

func (s *store) showLead(l *lead) Lead {
	return Lead{ID: l.id.String(), Attributes: asMap(s.names.unpack(l.attributes)), CreatedOn: time.Unix(0, l.created).UTC()}
}

func (s *store) showOpportunity(o *opportunity) Opportunity {
	return Opportunity{
		ID: o.id.String(), LeadID: s.leads[o.lead].id.String(), EventCode: int(o.code),
		Note: o.note, DateTime: o.dateTime, Fields: asMap(s.names.unpack(o.fields)),
		CreatedOn: time.Unix(0, o.created).UTC(), ModifiedOn: time.Unix(0, o.modified).UTC(), Body: o.body, Call: o.call,
	}
}

func (s *store) showSale(v *sale) SalesActivity {
	values := s.names.unpack(v.values)
	shown := SalesActivity{
		ID: v.id.String(), LeadID: s.leads[v.lead].id.String(), Fields: map[string]string{},
		CreatedOn: time.Unix(0, v.created).UTC(), Body: v.body, Call: v.call,
	}
	for _, p := range values {
		switch p.name {
		case "ProductSku":
			shown.ProductSku = p.value
		case "Status":
			shown.Status = p.value
		case "Revenue":
			shown.Revenue = p.value
		case "SalesOwnerEmail", "SalesOwner":
			if p.value != "" {
				shown.Owner = p.value
			}
		case "SalesDate":
			shown.SalesDate = p.value
		default:
			shown.Fields[p.name] = p.value
		}
	}
	return shown
}

func asMap(pairs []pair) map[string]string {
	m := make(map[string]string, len(pairs))
	for _, p := range pairs {
		m[p.name] = p.value
	}
	return m
}
