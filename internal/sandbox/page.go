package sandbox

import (
	"bufio"
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
//	GET  /_sandbox/page                 what the page shows, as JSON
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
		writeJSON(w, a.glance())
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
	}{nonce, a.glance()})
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
}

// Shown is a record as the page lists it.
type Shown struct {
	Kind      string // "opportunity" or "sales activity"
	ID        string
	Lead      string // e-mail address, phone or id
	Type      string // event code or SKU
	Status    string
	Note      string
	Fields    string
	CreatedOn string

	created int64
}

func (a *Account) glance() Glance {
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
	opps, sales := a.store.opps, a.store.sales
	for i := max(0, len(opps)-shownRecords); i < len(opps); i++ {
		o := a.store.showOpportunity(&opps[i])
		status := o.Fields["Status"]
		if status == "" {
			status = "Open"
		}
		delete(o.Fields, "Status")
		g.Records = append(g.Records, Shown{"opportunity", o.ID, a.nameLead(opps[i].lead), strconv.Itoa(o.EventCode), status, o.Note, oneLine(o.Fields), o.CreatedOn.Format(inputTime), opps[i].created})
	}
	for i := max(0, len(sales)-shownRecords); i < len(sales); i++ {
		s := a.store.showSale(&sales[i])
		if s.Revenue != "" {
			s.Fields["Revenue"] = s.Revenue
		}
		if s.Owner != "" {
			s.Fields["Owner"] = s.Owner
		}
		g.Records = append(g.Records, Shown{"sales activity", s.ID, a.nameLead(sales[i].lead), s.ProductSku, s.Status, "", oneLine(s.Fields), s.CreatedOn.Format(inputTime), sales[i].created})
	}
	slices.SortStableFunc(g.Records, func(x, y Shown) int {
		if x.created < y.created {
			return 1
		}
		if x.created > y.created {
			return -1
		}
		return 0
	})
	g.Records = g.Records[:min(shownRecords, len(g.Records))]
	if g.Records == nil {
		g.Records = []Shown{}
	}
	return g
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

func oneLine(fields map[string]string) string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int {
		if len(x) != len(y) {
			return len(x) - len(y) // mx_Custom_2 before mx_Custom_10
		}
		return strings.Compare(x, y)
	})
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(" · ")
		}
		b.WriteString(strings.TrimPrefix(name, "mx_"))
		b.WriteString(": ")
		b.WriteString(fields[name])
	}
	return b.String()
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
