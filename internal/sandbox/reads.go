package sandbox

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// number is a JSON number, or one in a string, as the vendor's pages have both.
type number int

func (n *number) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if s == "" || s == "null" {
		return nil
	}
	v, err := strconv.Atoi(s)
	if err != nil {
		return fmt.Errorf("%.40s is not a whole number", b)
	}
	*n = number(v)
	return nil
}

type paging struct {
	PageIndex number
	PageSize  number
	Offset    number
	RowCount  number
}

// maxPage is the most rows of one page; the vendor names 1000 where it names a bound.
const maxPage = 1000

// page cuts a list by PageIndex, which begins at 1, and PageSize. No paging is everything.
func page[T any](list []T, p *paging) []T {
	if p == nil {
		return list
	}
	size := int(p.PageSize)
	if size <= 0 {
		size = 25
	}
	size = min(size, maxPage)
	from := (max(1, min(int(p.PageIndex), 1<<30)) - 1) * size
	return list[min(from, len(list)):min(from+size, len(list))]
}

func outTime(nanos int64) string { return time.Unix(0, nanos).UTC().Format(outputTime) }

// leads

// shows says whether a look-up that may lie shows a record.
func (c *call) shows(created int64) bool { return c.sees == 0 || created <= c.sees }

func (a *Account) leadAnswer(at ...int32) answer {
	list := make([]map[string]string, 0, len(at))
	for _, i := range at {
		l := &a.store.leads[i]
		m := map[string]string{}
		for _, p := range a.store.names.unpack(l.attributes) {
			m[p.name] = shown(fieldOf(a.o.LeadFields, p.name), p.value)
		}
		m["ProspectID"] = l.id.String()
		m["CreatedOn"] = outTime(l.created)
		if m["OwnerId"] == "" {
			m["OwnerId"] = a.o.User.ID
		}
		list = append(list, m)
	}
	return ok(list)
}

func (a *Account) leadsByEmail(c *call) answer {
	email := fold("EmailAddress", c.param("emailaddress"))
	if email == "" {
		return missing("emailaddress").answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	if at, found := a.store.unique[lookup{"EmailAddress", email}]; found && c.shows(a.store.leads[at].created) {
		return a.leadAnswer(at)
	}
	return a.leadAnswer()
}

// leadsByPhone matches digits, with or without the country code; a phone with spaces or hyphens finds nobody.
func (a *Account) leadsByPhone(c *call) answer {
	phone := c.param("phone")
	if phone == "" {
		return missing("phone").answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	return a.leadAnswer(a.store.digits[strings.TrimPrefix(phone, "+")]...)
}

func (a *Account) leadsByID(c *call) answer {
	given := c.param("id")
	if given == "" {
		return missing("id").answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	if v, good := parseID(given); good {
		if at, found := a.store.leadByID[v]; found && c.shows(a.store.leads[at].created) {
			return a.leadAnswer(at)
		}
	}
	return a.leadAnswer()
}

// oppValue is an opportunity's field as reads show it: Open and the keys' user stand in for a missing status and owner.
func (a *Account) oppValue(fields []Field, values []pair, name string) string {
	v := shown(fieldOf(fields, name), valueOf(values, name))
	if v != "" {
		return v
	}
	switch name {
	case "Status":
		return "Open"
	case "Owner":
		return a.o.User.ID
	}
	return ""
}

// opportunities

// indexed says whether the account's index has caught up with a record.
func (a *Account) indexed(created int64) bool {
	return a.o.IndexLag == 0 || a.now().UnixNano()-created >= int64(a.o.IndexLag)
}

type listing struct {
	Columns *struct {
		Include_CSV text
	}
	Paging  *paging
	Sorting *struct {
		ColumnName text
		Direction  number
	}
}

// opportunitiesOfLead wants the type: the vendor's page calls it optional, in practice it is needed.
func (a *Account) opportunitiesOfLead(c *call) answer {
	for _, p := range []string{"leadId", "opportunityType"} {
		if c.param(p) == "" {
			return missing(p).answer()
		}
	}
	code, err := strconv.Atoi(c.param("opportunityType"))
	if err != nil {
		return invalid("opportunityType '%s' is not valid", c.param("opportunityType")).answer()
	}
	var b listing
	if len(c.body) > 0 {
		if no := decode(c.body, &b); no != nil {
			return no.answer()
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	v, _ := parseID(c.param("leadId"))
	on, found := a.store.leadByID[v]
	if !found {
		return list(nil, 0)
	}
	return a.listOpportunities(c, on, code, b, nil)
}

func list(rows []map[string]any, count int) answer {
	if rows == nil {
		rows = []map[string]any{}
	}
	return ok(struct {
		RecordCount int
		List        []map[string]any
	}{count, rows})
}

// listOpportunities answers with flat objects, newest first. code 0 is every type.
func (a *Account) listOpportunities(c *call, on int32, code int, b listing, leadColumns []string) answer {
	var at []int32
	own := a.store.leads[on].opportunities
	for i := len(own) - 1; i >= 0; i-- {
		if o := &a.store.opps[own[i]]; (code == 0 || int(o.code) == code) && a.indexed(o.created) && c.shows(o.created) {
			at = append(at, own[i])
		}
	}
	if b.Sorting != nil && b.Sorting.ColumnName == "CreatedOn" && b.Sorting.Direction == 0 {
		slices.Reverse(at)
	}
	// RecordCount is the rows of the answer: scripts in the field compare the two.
	at = page(at, b.Paging)
	var rows []map[string]any
	for _, i := range at {
		o := a.late(a.store.opps[i])
		row := a.flat(&o)
		for _, name := range leadColumns {
			if _, own := row[name]; !own {
				row[name] = a.leadColumn(on, name)
			}
		}
		rows = append(rows, row)
	}
	return list(rows, len(rows))
}

// flat is an opportunity without a Fields array: schema names stand beside the rest.
func (a *Account) flat(o *opportunity) map[string]any {
	leadID := a.store.leads[o.lead].id.String()
	row := map[string]any{
		"OpportunityId": o.id.String(), "RelatedProspectId": leadID, "OpportunityEvent": fmt.Sprint(o.code),
		"OpportunityNote": null(o.note), "CreatedOn": outTime(o.created), "ModifiedOn": outTime(o.modified),
		"OwnerName": a.o.User.Name,
	}
	var fields []Field
	if t := a.typeOf(int(o.code)); t != nil {
		fields = t.Fields
	}
	values := a.store.names.unpack(o.fields)
	for _, name := range []string{"Status", "Owner"} {
		row[name] = a.oppValue(fields, values, name)
	}
	for _, f := range fields {
		if _, set := row[f.SchemaName]; !set {
			row[f.SchemaName] = nil
		}
	}
	for _, p := range values {
		if v := shown(fieldOf(fields, p.name), p.value); v != "" {
			row[p.name] = v
		}
	}
	return row
}

func (a *Account) leadColumn(on int32, name string) any {
	if strings.EqualFold(name, "ProspectID") {
		return a.store.leads[on].id.String()
	}
	return null(valueOf(a.store.names.unpack(a.store.leads[on].attributes), name))
}

func null(s string) any {
	if s = strings.TrimSpace(s); s != "" {
		return s
	}
	return nil
}

func (a *Account) opportunitiesByLeadField(c *call) answer {
	var b struct {
		Parameter *struct {
			LookupName  text
			LookupValue text
			SqlOperator text
		}
		listing
	}
	if no := decode(c.body, &b); no != nil {
		return no.answer()
	}
	if b.Parameter == nil || b.Parameter.LookupName == "" {
		return missing("LookupName").answer()
	}
	name := b.Parameter.LookupName
	if op := b.Parameter.SqlOperator; op != "" && op != "=" {
		return invalid("SqlOperator '%s' is not valid", op).answer()
	}
	var columns []string
	if b.Columns != nil {
		for column := range strings.SplitSeq(b.Columns.Include_CSV, ",") {
			if column = strings.TrimSpace(column); column != "" {
				columns = append(columns, column)
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	on, found := int32(0), false
	if strings.EqualFold(name, "ProspectID") {
		v, _ := parseID(b.Parameter.LookupValue)
		on, found = a.store.leadByID[v]
	} else if slices.Contains(a.unique, name) {
		on, found = a.store.unique[lookup{name, fold(name, b.Parameter.LookupValue)}]
	} else {
		return invalid("LookupName '%s' is not a unique field", name).answer()
	}
	if !found {
		return list(nil, 0)
	}
	return a.listOpportunities(c, on, 0, b.listing, columns)
}

func (a *Account) opportunityDetails(c *call) answer {
	given := c.param("OpportunityId")
	if given == "" {
		return missing("OpportunityId").answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	v, _ := parseID(given)
	at, found := a.store.oppByID[v]
	if !found || !a.indexed(a.store.opps[at].created) || !c.shows(a.store.opps[at].created) {
		return a.notThere("Opportunity", given)
	}
	o := a.late(a.store.opps[at])
	values := a.store.names.unpack(o.fields)
	name, fields := "Opportunity", []Field(nil)
	if t := a.typeOf(int(o.code)); t != nil {
		name, fields = t.Name, t.Fields
	}
	notes := describe(Field{SchemaName: "ActivityEvent_Note", DisplayName: "Notes", DataType: "String"}, 0)
	notes.Value = pointer(strings.TrimSpace(o.note))
	out := []fieldAnswer{notes}
	add := func(f Field, value string) {
		d := describe(f, len(out))
		d.Value = pointer(value)
		out = append(out, d)
	}
	for _, f := range fields {
		add(f, a.oppValue(fields, values, f.SchemaName))
	}
	for _, p := range values {
		if !slices.ContainsFunc(out, func(f fieldAnswer) bool { return f.SchemaName == p.name }) {
			add(fieldOf(fields, p.name), shown(fieldOf(fields, p.name), p.value))
		}
	}
	for _, name := range []string{"Status", "Owner"} {
		if !slices.ContainsFunc(out, func(f fieldAnswer) bool { return f.SchemaName == name }) {
			add(fieldOf(nil, name), a.oppValue(nil, values, name))
		}
	}
	when := any(nil)
	if o.dateTime != "" {
		when = o.dateTime + ".000"
	}
	return ok(struct {
		ID, Name, DisplayName            string
		OpportunityId, RelatedProspectId string
		OpportunityEventCode             int
		OpportunityNote                  any
		OpportunityDateTime              any
		CreatedOn, ModifiedOn            string
		Fields                           []fieldAnswer
	}{
		o.id.String(), name, name, o.id.String(), a.store.leads[o.lead].id.String(), int(o.code),
		null(o.note), when, outTime(o.created), outTime(o.modified), out,
	})
}

func pointer(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
