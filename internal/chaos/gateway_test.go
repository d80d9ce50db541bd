package chaos

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"time"

	"leadload/internal/sandbox"
)

// webForm marks the records that another system makes.
const webForm = "made by a web form"

// gateway stands between leadload and the account, and does what gateways,
// caches and other systems do. It never makes up a record of a row by itself:
// what it posts twice it counts.
type gateway struct {
	a     *sandbox.Account
	sales bool
	front *httptest.Server

	mu     sync.Mutex
	r      *rand.Rand
	calm   bool
	writes int      // that have come in
	ids    []string // that answers to writes have named
	twice  []string // records whose call was made a second time
	faults map[string]int64
	stale  map[string]answer // the first answer to each read
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func newGateway(a *sandbox.Account, sales bool, seed uint64) *gateway {
	g := &gateway{a: a, sales: sales, r: rand.New(rand.NewPCG(seed, 43)), faults: map[string]int64{}, stale: map[string]answer{}}
	g.front = httptest.NewServer(g)
	return g
}

// hit reports whether a fault with a probability strikes, and counts it.
func (g *gateway) hit(name string, p float64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calm || g.r.Float64() >= p {
		return false
	}
	g.faults[name]++
	return true
}

func (g *gateway) pick(n int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.r.IntN(n)
}

// forward makes the call at the account.
func (g *gateway) forward(req *http.Request, body []byte) (answer, error) {
	out, err := http.NewRequestWithContext(req.Context(), req.Method, g.a.URL()+req.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	out.Header = req.Header.Clone()
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, text}, err
}

var madeID = regexp.MustCompile(`"(?:CreatedOpportunityId|Id)":"([0-9a-f-]{36})"`)

func idIn(a answer) string {
	if m := madeID.FindSubmatch(a.body); m != nil && a.status == 200 {
		return string(m[1])
	}
	return ""
}

// limits are other systems' words about limits of their own.
var limits = []answer{
	{500, nil, []byte(`{"Status":"Error","ExceptionType":"System.Net.WebException","ExceptionMessage":"The remote server returned an error: (429) Too Many Requests."}`)},
	{502, nil, []byte(`{"message":"Too many requests"}`)},
	{500, nil, []byte(`{"ExceptionType":"Queue.ThrottlingException","ExceptionMessage":"Rate exceeded"}`)},
	{429, nil, []byte("<html>slow down</html>")},
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	var out answer
	if strings.HasSuffix(req.URL.Path, "/OpportunityManagement.svc/Capture") || strings.HasSuffix(req.URL.Path, "/SalesActivity.svc/Create") {
		out, err = g.write(req, body)
	} else {
		out, err = g.read(req, body)
	}
	if err != nil { // the account cut the connection, or its answer
		panic(http.ErrAbortHandler)
	}
	for k, v := range out.header {
		if k != "Content-Length" {
			w.Header()[k] = v
		}
	}
	if g.hit("dates that jump", 0.01) {
		jump := []time.Duration{-10 * 365 * 24 * time.Hour, 10 * 365 * 24 * time.Hour, -2 * time.Hour, 2 * time.Hour, -330 * time.Minute}[g.pick(5)]
		w.Header().Set("Date", time.Now().Add(jump).UTC().Format(http.TimeFormat))
	}
	w.WriteHeader(out.status)
	w.Write(out.body)
}

func (g *gateway) write(req *http.Request, body []byte) (answer, error) {
	g.mu.Lock()
	g.writes++
	g.mu.Unlock()
	out, err := g.forward(req, body)
	id := idIn(out)
	if err != nil || id == "" {
		return out, err
	}
	if g.hit("calls posted twice", 0.005) {
		again, err := g.forward(req, body)
		g.mu.Lock()
		g.twice = append(g.twice, id) // also where the second answer was lost, maybe after the commit
		g.mu.Unlock()
		if other := idIn(again); err == nil && other != "" {
			out, id = again, other
		}
	}
	if g.hit("records of another system", 0.02) {
		g.strange(id)
	}
	switch {
	case g.hit("foreign limits", 0.01):
		return limits[g.pick(len(limits))], nil
	case g.hit("pages after the commit", 0.001):
		return answer{[]int{400, 403, 404, 413}[g.pick(4)], http.Header{"Content-Type": {"text/html"}}, []byte("<html>no</html>")}, nil
	case g.hit("ids repeated", 0.01):
		g.mu.Lock()
		if len(g.ids) > 0 {
			out.body = bytes.Replace(out.body, []byte(id), []byte(g.ids[g.r.IntN(len(g.ids))]), 1)
		}
		g.mu.Unlock()
	}
	g.mu.Lock()
	g.ids = append(g.ids, id)
	g.mu.Unlock()
	return out, nil
}

// strange makes a record of another system for the lead of a record.
func (g *gateway) strange(id string) {
	if g.sales {
		for _, s := range g.a.SalesActivities() {
			if s.ID == id {
				g.a.AddSalesActivity(s.LeadID, map[string]string{"ProductSku": s.ProductSku, "Status": "Open", "mx_Custom_9": webForm}) // an account that refuses it has none
			}
		}
		return
	}
	for _, o := range g.a.Opportunities() {
		if o.ID == id {
			g.a.AddOpportunity(o.LeadID, 12000, webForm, map[string]string{"Status": "Open"}) // an account that refuses it has none
		}
	}
}

// lists are the reads that a row in doubt is looked for with. For one lead at
// most one of them lies: where all agree on a lie, nobody can know.
var lists = []struct{ path, empty string }{
	{"/ProspectActivity.svc/Retrieve", `{"RecordCount":0,"ProspectActivities":[]}`},
	{"/OpportunityManagement.svc/GetOpportunitiesOfLead", `{"RecordCount":0,"List":[]}`},
	{"/LeadManagement.svc/Leads.GetByEmailaddress", `[]`},
}

func (g *gateway) read(req *http.Request, body []byte) (answer, error) {
	out, err := g.forward(req, body)
	if err != nil || out.status != 200 {
		return out, err
	}
	for i, l := range lists {
		if !strings.HasSuffix(req.URL.Path, l.path) {
			continue
		}
		lead := req.URL.Query().Get("leadId")
		h := fnv.New32()
		fmt.Fprint(h, lead)
		if i < 2 && int(h.Sum32())%2 != i || i == 2 && g.sales {
			break
		}
		name := req.URL.RequestURI() + string(body)
		g.mu.Lock()
		old, known := g.stale[name]
		if !known {
			g.stale[name] = out
		}
		g.mu.Unlock()
		switch {
		case known && g.hit("stale look-ups", 0.1):
			return old, nil
		case i < 2 && g.hit("look-ups that lie", 0.05):
			return answer{200, out.header, []byte(l.empty)}, nil
		case i == 2 && g.hit("unknown leads", 0.05):
			return answer{200, out.header, []byte(l.empty)}, nil
		case i == 2 && g.hit("merged leads", 0.02):
			leads := g.a.Leads()
			other := leads[g.pick(len(leads))]
			return answer{200, out.header, fmt.Appendf(nil, `[{"ProspectID":%q,"EmailAddress":%q}]`, other.ID, other.Attributes["EmailAddress"])}, nil
		}
	}
	return out, nil
}

// count returns how many calls to make a record have come in.
func (g *gateway) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.writes
}

// peace ends the gateway's own faults.
func (g *gateway) peace() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calm = true
}

// extra counts the records by their contents that calls made beside the one that was answered.
func (g *gateway) extra(account map[string]string) map[string]int {
	out := map[string]int{}
	for _, id := range g.twice {
		out[account[id]]++
	}
	return out
}
