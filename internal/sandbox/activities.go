package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// activityEndpoints are the calls of ProspectActivity.svc.
var activityEndpoints = map[string]endpoint{
	trailPath: {method: http.MethodPost, run: (*Account).trail},
	activityPath + "RetrieveRecentlyModified":               {method: http.MethodPost, run: (*Account).recentlyModified},
	activityPath + "CustomActivity/RetrieveByActivityEvent": {method: http.MethodPost, run: (*Account).byActivityEvent},
}

// SalesEvent is the event code under which sales activities stand in the
// activity trail. Assumed: the pages say that a trail holds all activities, not under which codes.
const SalesEvent = 30

// trailFields are the few fields that the trail carries (field report).
var trailFields = []string{"mx_Custom_1", "mx_Custom_2", "Status", "Owner"}

type keyValue struct{ Key, Value string }

type activity struct {
	Id                string
	EventCode         int
	EventName         string
	CreatedOn         string // whole seconds
	ModifiedOn        string
	ActivityType      int
	Type              string
	RelatedProspectId string
	Data              []keyValue
}

// trail is a lead's activities, newest first: immediate, whatever the index lag.
func (a *Account) trail(c *call) answer {
	if c.param("leadId") == "" {
		return missing("leadId").answer()
	}
	var b struct {
		Parameter *struct{ ActivityEvent number }
		Paging    *paging
		Sorting   json.RawMessage
	}
	if len(c.body) > 0 {
		if no := decode(c.body, &b); no != nil {
			return no.answer()
		}
	}
	event := 0
	if b.Parameter != nil {
		event = int(b.Parameter.ActivityEvent)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	entries := a.entries(c.param("leadId"), event)
	entries = slices.DeleteFunc(entries, func(e entry) bool { return !c.shows(e.created) })
	rows, from := 25, 0
	if b.Paging != nil {
		if n := int(b.Paging.RowCount); n > 0 {
			rows = min(n, maxPage)
		}
		from = max(0, min(int(b.Paging.Offset), 1<<30))
		if a.o.TrailOffset != "offset" {
			from *= rows
		}
	}
	cut := entries[min(from, len(entries)):min(from+rows, len(entries))]
	list := make([]activity, 0, len(cut))
	for _, e := range cut {
		list = append(list, a.activity(e))
	}
	count := len(entries)
	if a.o.TrailCount == "page" {
		count = len(list)
	}
	return ok(struct {
		RecordCount        int
		ProspectActivities []activity
	}{count, list})
}

// entry is one line of a trail.
type entry struct {
	at      int32
	sale    bool
	created int64
}

// entries lists a lead's activities of one event code, or of all with 0, newest first.
func (a *Account) entries(leadID string, event int) []entry {
	v, _ := parseID(leadID)
	on, found := a.store.leadByID[v]
	if !found {
		return nil
	}
	var list []entry
	for _, at := range a.store.leads[on].opportunities {
		if o := &a.store.opps[at]; event == 0 || int(o.code) == event {
			list = append(list, entry{at, false, o.created})
		}
	}
	for _, at := range a.store.gone.trails {
		if o := &a.store.opps[at]; o.lead == on && (event == 0 || int(o.code) == event) {
			list = append(list, entry{at, false, o.created})
		}
	}
	if event == 0 || event == SalesEvent {
		for _, at := range a.store.leads[on].sales {
			list = append(list, entry{at, true, a.store.sales[at].created})
		}
	}
	slices.SortStableFunc(list, func(x, y entry) int {
		switch {
		case x.created != y.created:
			if x.created > y.created {
				return -1
			}
			return 1
		case x.sale == y.sale:
			return int(y.at) - int(x.at)
		default:
			return 0
		}
	})
	return list
}

func (a *Account) activity(e entry) activity {
	if e.sale {
		s := &a.store.sales[e.at]
		on := time.Unix(0, s.created).UTC().Format(inputTime)
		data := []keyValue{}
		if status := valueOf(a.store.names.unpack(s.values), "Status"); status != "" {
			data = append(data, keyValue{"Status", status})
		}
		return activity{s.id.String(), SalesEvent, "Sales Activity", on, on, 2, "Inbound", a.store.leads[s.lead].id.String(), data}
	}
	o := &a.store.opps[e.at]
	t := a.typeOf(int(o.code))
	name, fields := "Opportunity", []Field(nil)
	if t != nil {
		name, fields = t.Name, t.Fields
	}
	values := a.store.names.unpack(o.fields)
	data := []keyValue{}
	for _, f := range trailFields {
		if v := a.oppValue(fields, values, f); v != "" {
			data = append(data, keyValue{f, v})
		}
	}
	return activity{
		o.id.String(), int(o.code), name, time.Unix(0, o.created).UTC().Format(inputTime), time.Unix(0, o.modified).UTC().Format(inputTime),
		2, "Inbound", a.store.leads[o.lead].id.String(), data,
	}
}
