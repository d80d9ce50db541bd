package sandbox

import (
	"bufio"
	"cmp"
	"crypto/rand"
	_ "embed" // page.html
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pagePath is where everything lives that no real account has. Nothing under it counts against the limit.
const pagePath = "/_sandbox/"

// shownRecords is how many records the page lists.
const shownRecords = 200

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// crossOrigin keeps other web pages in the same browser from emptying the account.
var crossOrigin = http.NewCrossOriginProtection()

// servePage answers "/" and everything under pagePath:
//
//	GET  /                              the page
//	GET  /_sandbox/page?q=TEXT          what the page shows, as JSON; with a text, the records that hold it
//	GET  /_sandbox/state                everything the account holds, as JSON
//	POST /_sandbox/outage?mode=503&for=10s
//	POST /_sandbox/limit?calls=10&window=5s
//	POST /_sandbox/compete?calls=10
//	POST /_sandbox/faults               body: Faults as JSON
//	POST /_sandbox/lead                 body: attributes as JSON; answers {"ID": …}
//	POST /_sandbox/edit?id=ID&by=NAME   body: fields as JSON; a record or a lead, as a person changes it
//	POST /_sandbox/delete?id=ID         as an administrator deletes it
//	GET  /_sandbox/revisions?id=ID      the changes of a record, oldest first
//	POST /_sandbox/reset
func (a *Account) servePage(w http.ResponseWriter, r *http.Request) {
	// A page elsewhere may point its own host name at this machine; the records are nobody's but the user's.
	if host := r.Host; host != "" && a.door.address != "" && !loopback(hostAlone(host)) {
		http.Error(w, "this practice account answers on this machine only", http.StatusForbidden)
		return
	}
	if err := crossOrigin.Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	what := strings.TrimPrefix(r.URL.Path, pagePath)
	switch {
	case r.URL.Path == "/" && get:
		a.writePage(w)
	case what == "page" && get:
		writeJSON(w, a.glance(r.URL.Query().Get("q")))
	case what == "state" && get:
		a.writeState(w)
	case what == "revisions" && get:
		writeJSON(w, a.Revisions(r.URL.Query().Get("id")))
	case get:
		http.NotFound(w, r)
	case r.Method == http.MethodPost:
		got, err := a.order(what, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		writeJSON(w, got)
	default:
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

func hostAlone(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}

// order carries out what somebody asked of the sandbox itself.
func (a *Account) order(what string, r *http.Request) (any, error) {
	q := r.URL.Query()
	done := map[string]string{"Status": "Success"}
	switch what {
	case "outage":
		d := time.Duration(0)
		if s := q.Get("for"); s != "" {
			var err error
			if d, err = time.ParseDuration(s); err != nil || d < 0 {
				return nil, fmt.Errorf("for is %q: want a time such as 10s", s)
			}
		}
		return done, a.OutageFor(q.Get("mode"), d)
	case "limit":
		calls, err := strconv.Atoi(q.Get("calls"))
		if err != nil {
			return nil, fmt.Errorf("calls is %q: want a whole number", q.Get("calls"))
		}
		window := DefaultWindow
		if s := q.Get("window"); s != "" {
			if window, err = time.ParseDuration(s); err != nil {
				return nil, fmt.Errorf("window is %q: want a time such as 5s", s)
			}
		}
		return done, a.SetLimit(calls, window)
	case "compete":
		calls, err := strconv.Atoi(q.Get("calls"))
		if err != nil || calls < 0 {
			return nil, fmt.Errorf("calls is %q: want a whole number", q.Get("calls"))
		}
		a.CompeteWith(calls)
		return done, nil
	case "faults":
		var f Faults
		d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<16))
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			return nil, fmt.Errorf("faults: %w", err)
		}
		return done, a.SetFaults(f)
	case "lead":
		var attributes map[string]string
		if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20)).Decode(&attributes); err != nil {
			return nil, fmt.Errorf("lead: %w", err)
		}
		v, err := a.AddLead(attributes)
		return map[string]string{"ID": v}, err
	case "edit":
		var fields map[string]string
		if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20)).Decode(&fields); err != nil {
			return nil, fmt.Errorf("edit: %w", err)
		}
		by := q.Get("by")
		if by == "" {
			by = "a person"
		}
		return done, a.edit(q.Get("id"), by, fields)
	case "delete":
		return done, a.DeleteRecord(q.Get("id"))
	case "reset":
		a.Reset()
		return done, nil
	}
	return nil, fmt.Errorf("there is nothing called %q to do", what)
}

func (a *Account) writePage(w http.ResponseWriter) {
	nonce := rand.Text()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'; style-src 'nonce-"+nonce+"'; script-src 'nonce-"+nonce+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	pageTemplate.Execute(w, struct {
		Nonce string
		Glance
	}{nonce, a.glance("")})
}

// Glance is what the page shows.
type Glance struct {
	Org, User  string
	Now        string // the account's clock
	Limit      int    // calls in a window; -1 is no limit
	WindowSecs float64
	InWindow   int     // calls in the window that ends now
	Calls      [60]int // arrivals in each of the last 60 seconds, oldest first
	Limited    [60]int // of these, turned away
	CheckedIn  bool
	CheckedOn  string // "" is never
	Presence   string
	Outage     string
	Counters   Counters
	Records    []Shown // newest first
	Found      int     // records that hold the text searched for; all, where there is none
}

// Shown is a record as the page lists it.
type Shown struct {
	Kind      string // "opportunity" or "sales activity"
	ID        string
	Lead      string // e-mail address, phone or id
	Type      string // event code or SKU
	Status    string
	Note      string
	Fields    string // by their display names, in one line
	Values    []Value
	Twice     bool // the same lead has a record that says the same
	Changes   int  // how often it was changed
	CreatedOn string

	created int64
}

// Value is a field of a record.
type Value struct {
	Name    string // schema name
	Display string
	Value   string
}

func (a *Account) glance(query string) Glance {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	t := a.elapsed()
	g := Glance{
		Org: a.o.Org.Name, User: a.o.User.Email, Now: a.now().Format(inputTime), Limit: a.o.Calls, WindowSecs: a.o.Window.Seconds(),
		InWindow: a.busiest.within(t), CheckedIn: a.presence.in, Presence: a.presence.status, Outage: a.outage, Counters: a.counters(),
	}
	if !a.presence.last.IsZero() {
		g.CheckedOn = a.presence.last.Format(inputTime)
	}
	g.Calls, g.Limited = a.perSecond.lastMinute(t)
	opps, sales, found := a.search(strings.ToLower(strings.TrimSpace(query)))
	g.Found = found
	g.Records = []Shown{}
	for _, i := range opps {
		g.Records = append(g.Records, a.showOpp(i))
	}
	for _, i := range sales {
		g.Records = append(g.Records, a.showSale(i))
	}
	slices.SortStableFunc(g.Records, func(x, y Shown) int { return cmp.Compare(y.created, x.created) })
	g.Records = g.Records[:min(shownRecords, len(g.Records))]
	return g
}

// search returns the newest records that hold a text, at most shownRecords of
// each kind, and how many hold it in all. It looks at the packed values as
// they lie there: to unpack those of a large account would take too long.
// The caller holds mu.
func (a *Account) search(query string) (opps, sales []int, found int) {
	s := a.store
	holds := func(text string) bool { return strings.Contains(strings.ToLower(text), query) }
	var leads []bool
	ids := false
	if query != "" {
		leads = make([]bool, len(s.leads))
		for i := range s.leads {
			leads[i] = holds(string(s.leads[i].attributes))
		}
		ids = strings.Trim(query, "0123456789abcdef-") == ""
	}
	for i := len(s.opps) - 1; i >= 0 && (query != "" || len(opps) < shownRecords); i-- {
		o := &s.opps[i]
		if o.gone || query != "" && !leads[o.lead] && !holds(o.note) && !holds(string(o.fields)) && !(ids && holds(o.id.String())) {
			continue
		}
		if found++; len(opps) < shownRecords {
			opps = append(opps, i)
		}
	}
	for i := len(s.sales) - 1; i >= 0 && (query != "" || len(sales) < shownRecords); i-- {
		v := &s.sales[i]
		if v.gone || query != "" && !leads[v.lead] && !holds(string(v.values)) && !(ids && holds(v.id.String())) {
			continue
		}
		if found++; len(sales) < shownRecords {
			sales = append(sales, i)
		}
	}
	if query == "" {
		found = len(s.opps) - s.gone.opps + len(s.sales) - s.gone.sales
	}
	return opps, sales, found
}

// twins bounds how many records of a lead are compared with one that is shown.
const twins = 1000

// showOpp shows an opportunity. The caller holds mu.
func (a *Account) showOpp(i int) Shown {
	at := &a.store.opps[i]
	o := a.store.showOpportunity(at)
	status := o.Fields["Status"]
	if status == "" {
		status = "Open"
	}
	delete(o.Fields, "Status")
	r := Shown{Kind: "opportunity", ID: o.ID, Lead: a.nameLead(at.lead), Type: strconv.Itoa(o.EventCode), Status: status, Note: o.Note,
		Changes: len(a.store.history[at.id]), CreatedOn: o.CreatedOn.Format(inputTime), created: at.created}
	var fields []Field
	if t := a.typeOf(o.EventCode); t != nil {
		fields = t.Fields
	}
	r.name(o.Fields, fields)
	others := a.store.leads[at.lead].opportunities
	for _, k := range others[max(0, len(others)-twins):] {
		twin := &a.store.opps[k]
		if int(k) != i && !twin.gone && twin.code == at.code && twin.fields == at.fields && twin.note == at.note && twin.dateTime == at.dateTime {
			r.Twice = true
		}
	}
	return r
}

// showSale shows a sales activity. The caller holds mu.
func (a *Account) showSale(i int) Shown {
	at := &a.store.sales[i]
	s := a.store.showSale(at)
	if s.Revenue != "" {
		s.Fields["Revenue"] = s.Revenue
	}
	if s.Owner != "" {
		s.Fields["Owner"] = s.Owner
	}
	r := Shown{Kind: "sales activity", ID: s.ID, Lead: a.nameLead(at.lead), Type: s.ProductSku, Status: s.Status,
		Changes: len(a.store.history[at.id]), CreatedOn: s.CreatedOn.Format(inputTime), created: at.created}
	r.name(s.Fields, a.o.SalesFields)
	others := a.store.leads[at.lead].sales
	for _, k := range others[max(0, len(others)-twins):] {
		if twin := &a.store.sales[k]; int(k) != i && !twin.gone && twin.values == at.values {
			r.Twice = true
		}
	}
	return r
}

// name fills in the values of a record, those of the account's fields by their
// display names.
func (r *Shown) name(values map[string]string, fields []Field) {
	display := map[string]string{}
	for _, f := range fields {
		display[f.SchemaName] = f.DisplayName
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int {
		return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)) // mx_Custom_2 before mx_Custom_10
	})
	var line []string
	r.Values = make([]Value, 0, len(names))
	for _, name := range names {
		v := Value{Name: name, Display: cmp.Or(display[name], name), Value: values[name]}
		r.Values = append(r.Values, v)
		if v.Value != "" {
			line = append(line, v.Display+": "+v.Value)
		}
	}
	r.Fields = strings.Join(line, " · ")
}

func (a *Account) nameLead(at int32) string {
	values := a.store.names.unpack(a.store.leads[at].attributes)
	for _, name := range []string{"EmailAddress", "Phone", "Mobile"} {
		if v := valueOf(values, name); v != "" {
			return v
		}
	}
	return a.store.leads[at].id.String()
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(v)
}

// writeState writes everything, a thousand records under the lock at a time,
// so that an account of a million can be asked while it works.
func (a *Account) writeState(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	b := bufio.NewWriterSize(w, 1<<16)
	defer b.Flush()
	e := json.NewEncoder(b)
	b.WriteString(`{"Counters":`)
	e.Encode(a.Count())
	in, last := a.Checked()
	b.WriteString(`,"CheckedIn":`)
	e.Encode(in)
	b.WriteString(`,"CheckedOn":`)
	if last.IsZero() {
		e.Encode(nil)
	} else {
		e.Encode(last)
	}
	b.WriteString(`,"Leads":[`)
	stream(a, b, func(s *store, i int) (any, bool) {
		if i >= len(s.leads) {
			return nil, false
		}
		return s.showLead(&s.leads[i]), true
	})
	b.WriteString(`],"Opportunities":[`)
	stream(a, b, func(s *store, i int) (any, bool) {
		if i >= len(s.opps) {
			return nil, false
		}
		return s.showOpportunity(&s.opps[i]), true
	})
	b.WriteString(`],"SalesActivities":[`)
	stream(a, b, func(s *store, i int) (any, bool) {
		if i >= len(s.sales) {
			return nil, false
		}
		return s.showSale(&s.sales[i]), true
	})
	b.WriteString(`],"Calls":`)
	e.Encode(a.Calls())
	b.WriteString("}\n")
}

func stream(a *Account, b *bufio.Writer, at func(*store, int) (any, bool)) {
	e := json.NewEncoder(b)
	for from := 0; ; from += 1000 {
		var some []any
		a.mu.Lock()
		for i := from; i < from+1000; i++ {
			v, more := at(a.store, i)
			if !more {
				break
			}
			some = append(some, v)
		}
		a.mu.Unlock()
		for i, v := range some {
			if from+i > 0 {
				b.WriteByte(',')
			}
			e.Encode(v)
		}
		if len(some) < 1000 {
			return
		}
	}
}
