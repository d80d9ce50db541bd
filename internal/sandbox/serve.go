package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxBody bounds a request's body.
const maxBody = 8 << 20

type kind uint8

const (
	reads kind = iota
	creates
	updates // of anything but a record: check-in and check-out
	changes // of records: update, delete, cancel
)

// endpoint is one call of the API.
type endpoint struct {
	method string
	kind   kind
	async  asyncKeys
	run    func(*Account, *call) answer
	bulk   bool // counted in the bucket of the bulk calls
}

type asyncKeys uint8

const (
	syncCall   asyncKeys = iota // access key and secret key
	asyncWrite                  // these and x-api-key
	asyncRead                   // x-api-key alone
)

const (
	authPath     = "/v2/Authentication.svc/UserByAccessKey.Get"
	salesPath    = "/v2/SalesActivity.svc/"
	oppPath      = "/v2/OpportunityManagement.svc/"
	leadPath     = "/v2/LeadManagement.svc/"
	userPath     = "/v2/UserManagement.svc/User/"
	activityPath = "/v2/ProspectActivity.svc/"
	trailPath    = activityPath + "Retrieve"
	submitPath   = "/opportunity/capture"
)

// endpoints are the calls of the account, by their paths. A service with a file
// of its own has its calls there.
var endpoints = join(activityEndpoints, map[string]endpoint{
	authPath: {method: http.MethodGet, run: (*Account).userByAccessKey},

	salesPath + "Create":           {method: http.MethodPost, kind: creates, run: (*Account).createSale},
	salesPath + "Update":           {method: http.MethodPost, kind: changes, run: (*Account).updateSale},
	salesPath + "Cancel":           {method: http.MethodPost, kind: changes, run: (*Account).cancelSale},
	salesPath + "RetrieveByLeadId": {method: http.MethodGet, run: (*Account).salesOfLead},
	salesPath + "RetrieveActivity": {method: http.MethodGet, run: (*Account).saleByID},
	salesPath + "RetrieveSetting":  {method: http.MethodGet, run: (*Account).retrieveSetting},
	salesPath + "RetrieveProducts": {method: http.MethodPost, run: (*Account).retrieveProducts},

	oppPath + "Capture":                           {method: http.MethodPost, kind: creates, run: (*Account).capture},
	oppPath + "Update":                            {method: http.MethodPost, kind: changes, run: (*Account).updateOpportunity},
	oppPath + "Delete":                            {method: http.MethodGet, kind: changes, run: (*Account).deleteOpportunity},
	oppPath + "Bulk/Add/ByLeadField":              {method: http.MethodPost, kind: creates, run: (*Account).bulkAdd, bulk: true},
	oppPath + "Bulk/Update/ByOpportunityId":       {method: http.MethodPost, kind: changes, run: (*Account).bulkUpdate, bulk: true},
	oppPath + "GetOpportunitiesOfLead":            {method: http.MethodPost, run: (*Account).opportunitiesOfLead},
	oppPath + "GetOpportunitiesById":              {method: http.MethodPost, run: (*Account).opportunitiesByID},
	oppPath + "GetOpportunityDetails":             {method: http.MethodGet, run: (*Account).opportunityDetails},
	oppPath + "GetOpportunitiesByUniqueLeadField": {method: http.MethodPost, run: (*Account).opportunitiesByLeadField},
	oppPath + "GetOpportunityTypes":               {method: http.MethodGet, run: (*Account).getOpportunityTypes},
	oppPath + "GetOpportunityTypeMetadata":        {method: http.MethodGet, run: (*Account).getOpportunityTypeMetadata},

	leadPath + "Leads.GetByEmailaddress":   {method: http.MethodGet, run: (*Account).leadsByEmail},
	leadPath + "RetrieveLeadByPhoneNumber": {method: http.MethodGet, run: (*Account).leadsByPhone},
	leadPath + "Leads.GetById":             {method: http.MethodGet, run: (*Account).leadsByID},
	leadPath + "LeadsMetaData.Get":         {method: http.MethodGet, run: (*Account).leadsMetaData},
	leadPath + "Lead.Capture":              {method: http.MethodPost, kind: creates, run: (*Account).captureLead},
	leadPath + "Lead.Update":               {method: http.MethodPost, kind: changes, run: (*Account).updateLead},

	userPath + "CheckIn":       {method: http.MethodPost, kind: updates, run: (*Account).checkIn},
	userPath + "CheckOut":      {method: http.MethodPost, kind: updates, run: (*Account).checkOut},
	userPath + "CheckinStatus": {method: http.MethodGet, run: (*Account).checkinStatus},

	submitPath:              {method: http.MethodPost, kind: creates, async: asyncWrite, run: (*Account).submit},
	submitPath + "/status":  {method: http.MethodGet, async: asyncRead, run: (*Account).taskStatus},
	submitPath + "/metrics": {method: http.MethodGet, async: asyncRead, run: (*Account).taskMetrics},
})

func join(tables ...map[string]endpoint) map[string]endpoint {
	all := map[string]endpoint{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

// call is one request on its way through the account.
type call struct {
	r     *http.Request
	query url.Values
	body  []byte

	access, secret string

	record CallRecord
	begun  time.Time
	short  bool  // a truncated answer announces its true length
	sees   int64 // a look-up shows nothing that is younger, in Unix nanoseconds; 0: it shows all
}

// newCall takes the keys out of the request. Headers win over the URL.
func newCall(r *http.Request, body []byte) *call {
	c := &call{r: r, query: r.URL.Query(), body: body}
	c.record = CallRecord{Method: r.Method, Path: r.URL.Path, Bytes: len(body)}
	c.access, c.secret = r.Header.Get("x-LSQ-AccessKey"), r.Header.Get("x-LSQ-SecretKey")
	if len(c.query) == 0 {
		return c
	}
	access, secret := c.param("accessKey"), c.param("secretKey")
	c.record.KeysInQuery = access != "" || secret != ""
	if c.access == "" && c.secret == "" {
		c.access, c.secret = access, secret
	}
	for k := range c.query {
		if strings.EqualFold(k, "accessKey") || strings.EqualFold(k, "secretKey") {
			delete(c.query, k)
		}
	}
	c.record.Query = c.query.Encode()
	return c
}

func (c *call) param(name string) string { return param(c.query, name) }

// answer is what goes back.
type answer struct {
	status  int
	body    []byte
	html    bool
	refused bool // a refusal under HTTP 200
}

func ok(v any) answer {
	b, err := json.Marshal(v)
	if err != nil {
		return exception("Exception", err.Error())
	}
	return answer{status: http.StatusOK, body: b}
}

type exceptionBody struct {
	Status           string
	ExceptionType    string
	ExceptionMessage string
}

// exception is HTTP 500 with the account's error body.
func exception(kind, message string) answer {
	return failure(http.StatusInternalServerError, kind, message)
}

func failure(status int, kind, message string) answer {
	a := ok(exceptionBody{"Error", kind, message})
	a.status = status
	return a
}

// badRequest is a body that is not as the API page says.
func badRequest(why string) answer {
	return failure(http.StatusBadRequest, "InvalidRequestException", "The message body on the request is not as per API specification: "+why)
}

// badGateway is the page of a proxy in front of the account; it says nothing about the call.
var badGateway = answer{status: http.StatusBadGateway, html: true, body: []byte("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n")}

var unavailable = answer{status: http.StatusServiceUnavailable, html: true, body: []byte("<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n")}

// Handler is the account as an http.Handler. Where the account cuts a
// connection it panics with http.ErrAbortHandler, as net/http asks for.
func (a *Account) Handler() http.Handler { return http.HandlerFunc(a.serve) }

func (a *Account) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, pagePath) {
		a.servePage(w, r)
		return
	}
	if !a.enter() {
		panic(http.ErrAbortHandler)
	}
	defer a.active.Done()

	// A request that never arrived whole was never made.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	c := newCall(r, body)
	if !a.pause(a.leg()) {
		panic(http.ErrAbortHandler)
	}
	early, stop := a.admit(c)
	if stop {
		a.finish(w, c, early)
		return
	}
	switch c.record.Fault {
	case FaultCutBefore, FaultReadCut, FaultHangBefore:
		a.breakOff(w, c)
		return
	case FaultBadGatewayBefore, FaultReadBadGateway:
		a.finish(w, c, badGateway)
		return
	case FaultCachedAnswer, FaultReadOther:
		if old, is := a.other(c); is {
			a.finish(w, c, old)
			return
		}
	}
	done := a.work(c)
	if c.record.Fault == FaultPostedTwice || c.record.Fault == FaultTwiceAndLost {
		done = a.work(c)
	}
	own := done
	if c.record.Fault == FaultOtherAnswer {
		if old, is := a.other(c); is {
			done = old
		}
	}
	if a.repeats(c) {
		a.remember(c, own)
	}
	if done.status != http.StatusOK || done.refused {
		a.mu.Lock()
		a.count.Refused++
		a.mu.Unlock()
	}
	switch c.record.Fault {
	case FaultLostAnswer, FaultHangAfter, FaultTwiceAndLost:
		a.breakOff(w, c)
		return
	case FaultBadGatewayAfter:
		done = badGateway
	case FaultForeignLimit, FaultGatewayRefusal:
		done = foreign(c)
	case FaultEmptyBody:
		done = answer{status: http.StatusOK}
	case FaultTruncated:
		full := len(done.body)
		done.body = done.body[:full/2]
		if !c.short {
			w.Header().Set("Content-Length", fmt.Sprint(full))
		}
	}
	a.finish(w, c, done)
}

// repeats says whether a fault may repeat the answer to a call.
func (a *Account) repeats(c *call) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch endpoints[c.r.URL.Path].kind {
	case creates:
		return a.faults.OtherAnswer+a.faults.CachedAnswer > 0
	case reads:
		return a.faults.ReadOther > 0 && slices.Contains(a.faults.Lying, c.r.URL.Path)
	}
	return false
}

// enter counts a call in, unless the account is closing.
func (a *Account) enter() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.closed:
		return false
	default:
		a.active.Add(1)
		return true
	}
}

// admit takes a call past the outage, the keys and the limit, and draws its
// fault. stop is true where the answer is already known.
func (a *Account) admit(c *call) (early answer, stop bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c.begun = time.Now()
	t := a.elapsed()
	c.record.Time = c.begun
	a.count.Calls++
	c.record.Number = a.count.Calls
	ep, known := endpoints[c.r.URL.Path]

	if a.outage != "" {
		a.count.Outages++
		c.record.Outage = a.outage
		return unavailable, true
	}
	if why := a.unauthorized(c, ep); why != nil {
		a.count.Refused++
		a.count.Unauthorized++
		return *why, true
	}
	if !ep.bulk {
		a.busiest.arrive(t)
	}
	limited := !a.underCap()
	if limited {
		a.count.Capped++
		early = a.overLimit(fmt.Sprintf("API calls exceeded the daily limit of %d", a.o.DailyCap))
	} else {
		bucket := a.window
		if ep.bulk {
			bucket = a.bulk
		}
		if limited = !bucket.arrive(t); limited {
			a.count.Limited++
			early = a.overLimit(bucket.message())
		}
	}
	a.perSecond.count(t, limited)
	if limited {
		c.record.Limited = true
		return early, true
	}
	a.dayCalls++
	if !known || slices.Contains(a.o.Without, c.r.URL.Path) {
		a.count.Refused++
		return failure(http.StatusNotFound, "NotFoundException", "The API could not be found. Please check the API signature."), true
	}
	if c.r.Method != ep.method {
		a.count.Refused++
		return failure(http.StatusMethodNotAllowed, "MethodNotAllowedException", "Method not allowed."), true
	}
	switch ep.kind {
	case creates:
		a.count.Creates++
	case updates, changes:
		a.count.Updates++
	default:
		a.count.Reads++
	}
	a.drawFault(c, ep.kind)
	if a.o.OnCall != nil {
		a.o.OnCall(c.record, c.body)
	}
	return answer{}, false
}

// underCap says whether the day has a call left.
func (a *Account) underCap() bool {
	if a.o.DailyCap == 0 {
		return true
	}
	if day := a.now().Unix() / 86400; day != a.day {
		a.day, a.dayCalls = day, 0
	}
	return a.dayCalls < a.o.DailyCap
}

// overLimit dresses an over-limit message in the form this account uses.
func (a *Account) overLimit(message string) answer {
	const kind = "MXAPIRateLimitExceededException"
	switch a.o.LimitForm {
	case "200":
		return failure(http.StatusOK, kind, message)
	case "403":
		return failure(http.StatusForbidden, kind, message)
	case "500":
		return failure(http.StatusInternalServerError, kind, message)
	case "bare":
		return answer{status: http.StatusTooManyRequests}
	}
	return failure(http.StatusTooManyRequests, kind, message)
}

// unauthorized answers calls whose keys are wrong, or whose user or host is.
func (a *Account) unauthorized(c *call, ep endpoint) *answer {
	refuse := func(message string) *answer {
		no := failure(http.StatusUnauthorized, "MXUnauthorizedException", message)
		return &no
	}
	if ep.async != syncCall && c.r.Header.Get("x-api-key") != a.async {
		return refuse("The x-api-key is missing or wrong.")
	}
	if ep.async != asyncRead && (c.access != a.access || c.secret != a.secret) {
		return refuse("The API call was made with invalid access credentials. Check your AccessKey and SecretKey.")
	}
	if a.o.Deactivated {
		return refuse("The user is inactive. The API call was made with invalid access credentials.")
	}
	// The vendor lets this one call through on every region's host.
	if a.o.RightHost != "" && c.r.URL.Path != authPath {
		return refuse(fmt.Sprintf("Invalid API host. Please use the host %s for this account.", a.o.RightHost))
	}
	return nil
}

// work checks what every call has in common and runs its endpoint.
func (a *Account) work(c *call) answer {
	if len(c.body) > 0 {
		kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
		if !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
			return badRequest("Content-Type must be application/json")
		}
	}
	return endpoints[c.r.URL.Path].run(a, c)
}

// finish records the call and sends its answer after the second half of the latency.
func (a *Account) finish(w http.ResponseWriter, c *call, out answer) {
	if o := c.record.Outage; o != "" && o != Outage503 {
		a.breakOff(w, c)
		return
	}
	if !a.pause(a.leg()) {
		panic(http.ErrAbortHandler)
	}
	c.record.Status = out.status
	a.keep(c)
	h := w.Header()
	a.date(h)
	switch {
	case out.html:
		h.Set("Content-Type", "text/html")
	case len(out.body) > 0:
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(out.status)
	w.Write(out.body)
}

// breakOff ends a call without an answer, at once or after silence.
func (a *Account) breakOff(w http.ResponseWriter, c *call) {
	silent := c.record.Fault == FaultHangAfter || c.record.Fault == FaultHangBefore || c.record.Outage == OutageHang
	a.keep(c)
	if silent {
		a.mu.Lock()
		timer := time.NewTimer(a.faults.HangFor)
		a.mu.Unlock()
		defer timer.Stop()
		select {
		case <-a.closed:
		case <-c.r.Context().Done():
		case <-timer.C:
		}
	}
	if c.record.Fault == FaultCutBefore || c.record.Outage == OutageRefuse || c.record.Outage == OutageReset {
		reset(w)
	}
	panic(http.ErrAbortHandler)
}

// reset drops a connection so hard that the client sees "connection reset",
// where a plain close would be an early end of file. It returns where it cannot.
func reset(w http.ResponseWriter) {
	h, can := w.(http.Hijacker)
	if !can {
		return
	}
	conn, _, err := h.Hijack()
	if err != nil {
		return
	}
	if tcp, isTCP := conn.(*net.TCPConn); isTCP {
		tcp.SetLinger(0)
	}
	conn.Close()
}

func (a *Account) keep(c *call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c.record.Took = time.Since(c.begun)
	a.ring.add(c.record)
}

func (a *Account) date(h http.Header) {
	if a.o.DateHeader != "real" {
		now := a.now()
		if a.o.DateSkew != nil {
			now = now.Add(a.o.DateSkew())
		}
		h.Set("Date", now.Format(http.TimeFormat))
	}
}

// leg is one way through the network.
func (a *Account) leg() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	d := a.o.Latency / 2
	if a.o.Jitter > 0 {
		d += time.Duration((a.wobble.Float64() - 0.5) * float64(a.o.Jitter))
	}
	return max(0, d)
}

// SetLatency changes what the network adds to each call, from the next one on.
func (a *Account) SetLatency(latency time.Duration) error {
	if latency < 0 {
		return fmt.Errorf("a latency of %v: want none or more", latency)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.o.Latency = latency
	return nil
}

// pause waits; false means that the account closed meanwhile. It does not look
// at the request's context: a call that has arrived is carried out even when its client is gone.
func (a *Account) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-a.closed:
		return false
	case <-timer.C:
		return true
	}
}

func (a *Account) setFaults(f Faults) {
	if f.HangFor == 0 {
		f.HangFor = defaultHang
	}
	a.faults = f
	a.draw = mathrand.New(mathrand.NewPCG(f.Seed, 1))
}

// SetFaults changes the faults from the next call on, and starts their seed again.
func (a *Account) SetFaults(f Faults) error {
	if err := f.check(); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.setFaults(f)
	return nil
}

// FailNext makes the next calls that create or change a record go wrong, one fault each,
// in the order given and before any that are drawn by rate. "" lets one call pass unharmed.
func (a *Account) FailNext(faults ...string) error {
	known := map[string]bool{"": true}
	for _, r := range (Faults{}).onCreate() {
		known[r.name] = true
	}
	for _, f := range faults {
		if !known[f] {
			return fmt.Errorf("there is no fault %q on creates", f)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next = append(a.next, faults...)
	return nil
}

// drawFault decides what goes wrong with a call. One number is drawn a call,
// whatever the rates, so that a seed means the same faults at the same calls.
func (a *Account) drawFault(c *call, k kind) {
	switch {
	case (k == creates || k == changes) && len(a.next) > 0:
		c.record.Fault, a.next = a.next[0], a.next[1:]
	case k == creates || k == changes:
		c.record.Fault = pick(a.faults.onCreate(), a.draw.Float64())
	case k == reads && slices.Contains(a.faults.Lying, c.r.URL.Path):
		c.record.Fault = pick(a.faults.onLookup(), a.draw.Float64())
		switch c.record.Fault {
		case FaultReadStale:
			c.sees = a.now().Add(-a.faults.StaleFor).UnixNano()
		case FaultReadEmpty:
			c.sees = 1
		}
	case k == reads && a.faults.ReadCut+a.faults.ReadBadGateway > 0:
		c.record.Fault = pick(a.faults.onRead(), a.draw.Float64())
	}
	if c.record.Fault == "" {
		return
	}
	a.count.Faults[c.record.Fault]++
	if c.record.Fault == FaultTruncated {
		c.short = a.count.Faults[FaultTruncated]%2 == 0
	}
}

func pick(rates []rate, x float64) string {
	for _, r := range rates {
		if x < r.of {
			return r.name
		}
		x -= r.of
	}
	return ""
}
