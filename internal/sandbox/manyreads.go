package sandbox

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// maxIDs is the most ids of one GetOpportunitiesById call.
const maxIDs = 2000

// readTime is how GetOpportunitiesById writes dates (vendor's example): month first, without zeros.
const readTime = "1/2/2006 3:04:05 PM"

// opportunitiesByID answers for many ids at once. Ids that it does not know are left out.
func (a *Account) opportunitiesByID(c *call) answer {
	var b struct {
		SearchParameters []struct {
			EventCode          number
			ProspectActivityId []text
			Columns            *struct{ Include_CSV text }
		}
	}
	if no := decode(c.body, &b); no != nil {
		return no.answer()
	}
	if len(b.SearchParameters) == 0 {
		return missing("SearchParameters").answer()
	}
	type group struct {
		EventCode     int
		RecordCount   int
		Opportunities []map[string]any
	}
	groups := []group{}
	total := 0
	for _, p := range b.SearchParameters {
		total += len(p.ProspectActivityId)
	}
	if total > maxIDs {
		return invalid("At most %d ids are allowed", maxIDs).answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	for _, p := range b.SearchParameters {
		switch {
		case p.EventCode == 0:
			return missing("EventCode").answer()
		case len(p.ProspectActivityId) == 0:
			return missing("ProspectActivityId").answer()
		case p.Columns == nil || p.Columns.Include_CSV == "":
			return missing("Columns").answer()
		}
		var fields []Field
		if t := a.typeOf(int(p.EventCode)); t != nil {
			fields = t.Fields
		}
		g := group{EventCode: int(p.EventCode), Opportunities: []map[string]any{}}
		// The order of the answer is not that of the ids: newest first.
		var at []int32
		for _, given := range p.ProspectActivityId {
			v, _ := parseID(given)
			if i, found := a.store.oppByID[v]; found && int(a.store.opps[i].code) == int(p.EventCode) && a.indexed(a.store.opps[i].created) {
				at = append(at, i)
			}
		}
		slices.Sort(at)
		at = slices.Compact(at)
		slices.Reverse(at)
		for _, i := range at {
			o := a.late(a.store.opps[i])
			lead := a.store.names.unpack(a.store.leads[o.lead].attributes)
			row := map[string]any{
				"ProspectId": a.store.leads[o.lead].id.String(), "EmailAddress": null(valueOf(lead, "EmailAddress")), "ProspectActivityId": o.id.String(),
			}
			for name := range strings.SplitSeq(p.Columns.Include_CSV, ",") {
				if name = strings.TrimSpace(name); name != "" {
					row[name] = a.column(&o, fields, name)
				}
			}
			g.Opportunities = append(g.Opportunities, row)
		}
		g.RecordCount = len(g.Opportunities)
		groups = append(groups, g)
	}
	return ok(groups)
}

// column is one column of a read of many: dates month first, booleans 1 and 0.
func (a *Account) column(o *opportunity, fields []Field, name string) any {
	switch name {
	case "CreatedOn":
		return time.Unix(0, o.created).UTC().Format(readTime)
	case "ModifiedOn":
		return time.Unix(0, o.modified).UTC().Format(readTime)
	case "OpportunityNote", "ActivityEvent_Note":
		return null(o.note)
	}
	f := fieldOf(fields, name)
	v := a.oppValue(fields, a.store.names.unpack(o.fields), name)
	switch f.DataType {
	case "DateTime", "Date":
		if t, err := time.Parse(outputTime, v); err == nil {
			v = t.Format(readTime)
		}
	case "Boolean":
		switch strings.ToLower(v) {
		case "true":
			v = "1"
		case "false":
			v = "0"
		}
	}
	return null(v)
}

// span is the window of the reads by time: whole seconds, both ends included.
type span struct {
	FromDate, ToDate    text
	ActivityEvent       number
	IncludeCustomFields number
	RemoveEmptyValue    json.RawMessage
}

type manyBody struct {
	Parameter *span
	Paging    *paging
	Sorting   *struct {
		ColumnName text
		Direction  number
	}
}

// spanned lists a type's opportunities that were created or modified in the window.
func (a *Account) spanned(c *call, by func(*opportunity) int64) (at []int32, b manyBody, no *answer) {
	refuse := func(out answer) ([]int32, manyBody, *answer) { return nil, b, &out }
	if wrong := decode(c.body, &b); wrong != nil {
		return refuse(wrong.answer())
	}
	if b.Parameter == nil || b.Parameter.ActivityEvent == 0 {
		return refuse(missing("ActivityEvent").answer())
	}
	from, err1 := time.Parse(inputTime, b.Parameter.FromDate)
	to, err2 := time.Parse(inputTime, b.Parameter.ToDate)
	if err1 != nil || err2 != nil {
		return refuse(invalid("FromDate and ToDate have the format yyyy-MM-dd HH:mm:ss").answer())
	}
	for i := range a.store.opps {
		o := a.late(a.store.opps[i])
		if o.gone || int(o.code) != int(b.Parameter.ActivityEvent) {
			continue
		}
		if t := by(&o) / int64(time.Second); t >= from.Unix() && t <= to.Unix() {
			at = append(at, int32(i))
		}
	}
	if b.Sorting == nil || b.Sorting.Direction == 1 {
		slices.Reverse(at) // newest first
	}
	return at, b, nil
}

// recentlyModified pages through what was modified in a window. Its dates are ISO.
func (a *Account) recentlyModified(c *call) answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	all, b, no := a.spanned(c, func(o *opportunity) int64 { return o.modified })
	if no != nil {
		return *no
	}
	type one struct {
		Id                string
		EventCode         int
		RelatedProspectId string
		CreatedOn         string
		ModifiedOn        string
		Fields            []keyValue
	}
	list := []one{}
	for _, i := range page(all, b.Paging) {
		o := a.late(a.store.opps[i])
		var fields []Field
		if t := a.typeOf(int(o.code)); t != nil {
			fields = t.Fields
		}
		row := one{Id: o.id.String(), EventCode: int(o.code), RelatedProspectId: a.store.leads[o.lead].id.String(),
			CreatedOn: isoTime(o.created), ModifiedOn: isoTime(o.modified), Fields: []keyValue{}}
		if o.note != "" {
			row.Fields = append(row.Fields, keyValue{"ActivityEvent_Note", strings.TrimSpace(o.note)})
		}
		values := a.store.names.unpack(o.fields)
		names := []string{"Status", "Owner"}
		if b.Parameter.IncludeCustomFields != 0 {
			for _, p := range values {
				if !slices.Contains(names, p.name) {
					names = append(names, p.name)
				}
			}
		}
		for _, name := range names {
			if v := a.oppValue(fields, values, name); v != "" {
				row.Fields = append(row.Fields, keyValue{name, v})
			}
		}
		list = append(list, row)
	}
	return ok(struct {
		RecordCount        int
		ProspectActivities []one
	}{len(all), list})
}

func isoTime(nanos int64) string {
	return time.Unix(0, nanos).UTC().Format("2006-01-02T15:04:05.000Z")
}

// byActivityEvent counts what was created in a window; its list is left out when it is empty.
func (a *Account) byActivityEvent(c *call) answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	all, b, no := a.spanned(c, func(o *opportunity) int64 { return o.created })
	if no != nil {
		return *no
	}
	var list []map[string]any
	for _, i := range page(all, b.Paging) {
		o := a.late(a.store.opps[i])
		list = append(list, map[string]any{
			"ProspectActivityId": o.id.String(), "RelatedProspectId": a.store.leads[o.lead].id.String(),
			"CreatedOn": outTime(o.created), "ModifiedOn": outTime(o.modified),
		})
	}
	return ok(struct {
		RecordCount int
		List        []map[string]any `json:",omitempty"`
	}{len(all), list})
}
