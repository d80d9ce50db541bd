package sandbox

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Practice values, taken for everything that Options leaves out.
const (
	DefaultCalls  = 25
	DefaultWindow = 5 * time.Second
	// NoLimit as Options.Calls switches the rate limit off.
	NoLimit = -1
	// DefaultType is the event code of the opportunity type that every practice account has.
	DefaultType = 12000

	defaultHang      = 30 * time.Second
	defaultKeptCalls = 10_000
)

// Options says what kind of account to practise on. The zero value is a
// well-behaved account with a limit of 25 calls in 5 seconds.
type Options struct {
	Listen string // a loopback address with a port; "" is 127.0.0.1:0

	// Keys; "" makes practice ones, which hold a "$" as real ones do.
	AccessKey, SecretKey, AsyncKey string

	Calls         int           // calls allowed in a window; 0 is 25; -1 is no limit
	Window        time.Duration // 0 is 5 s
	LimitForm     string        // an over-limit answer: "429" (or ""), "200", "403", "500", or "bare" (a 429 without a body)
	RejectedCount bool          // calls that were turned away count against the window too
	DailyCap      int           // calls allowed in a UTC day of the account's clock; 0 is no cap

	// Latency is what the network adds to each call; half of it passes before the call
	// is counted and carried out, half before the answer leaves. Jitter varies
	// the whole evenly by up to that much either way.
	Latency, Jitter time.Duration

	// UpdateLag is how long reads show a changed record as it was before.
	UpdateLag time.Duration
	// BlanksClear makes an update with an empty value empty the field. Without it
	// the value stays: the vendor's pages do not say which.
	BlanksClear bool
	// Locked are schema names that no update may change: it refuses the whole call.
	Locked []string
	// Rewrites is what the account itself makes of values of opportunity fields: by
	// schema name and value.
	Rewrites map[string]map[string]string
	// Without are paths that this account does not have: they answer 404.
	Without []string
	// GoneForm is how a record that was deleted reads back: "500" (or ""), "404", or "empty".
	GoneForm string
	// KeepTrails leaves records that were deleted in the trails of their leads.
	KeepTrails bool

	BulkCalls  int           // bulk calls allowed in a window of their own; 0 is 1, or no limit where Calls has none; -1 is no limit
	BulkWindow time.Duration // 0 is 5 s
	// BulkForm is how a bulk call answers: "response" (or "", an object with Response
	// and RowNumber), "bare" (an array), "ids" (ids alone, in the order of the rows),
	// "shuffled" (ids alone in another order) or "opaque" (no word about the rows).
	BulkForm string
	// BulkPoison makes a bulk call that holds this value in any field fail as a whole.
	BulkPoison string

	IndexLag time.Duration // how long GetOpportunitiesOfLead, GetOpportunityDetails and GetOpportunitiesByUniqueLeadField miss a new record
	Faults   Faults

	Clock      func() time.Time // the account's clock; nil is time.Now
	Skew       time.Duration    // added to Clock
	DateHeader string           // "account" (or ""): Date follows the account's clock; "real": it does not
	// DateSkew is what the machine that writes the Date header adds to it; nil is nothing.
	DateSkew func() time.Duration `json:"-"`

	TrailOffset string // how the activity trail reads Offset: "page" (or ""), or "offset" for items to pass over
	TrailCount  string // the trail's RecordCount: "all" (or ""), or "page" for the rows in the answer

	StatusAsString bool   // Capture's Status as "0" where 0 is usual
	RejectForm     string // how Capture refuses: "500" (or ""), or "200" for Status 1 under HTTP 200
	PartialField   string // a capture that carries this schema name ends in Status 2, with an id

	DuplicateField string        // schema name by which the account's duplicate rule matches opportunities of one type; "" is no rule
	Mandatory      []string      // schema names without which Capture answers MXInvalidActivityFieldsException
	UniqueFields   []string      // lead attributes that SearchBy may name besides EmailAddress, Phone, Mobile and ProspectId; nil is mx_Customer_Id
	Types          []Type        // opportunity types; nil is one of code 12000
	Deletable      bool          // all Types allow that their opportunities are deleted
	StrictTypes    bool          // refuse event codes that Types does not hold
	StrictFields   bool          // refuse schema names and option values that the type does not hold
	LeadFields     []Field       // LeadsMetaData.Get; nil is a usual set
	SalesFields    []Field       // RetrieveSetting; nil is mx_Custom_1 to mx_Custom_15
	Products       []Product     // nil takes any SKU and makes a product of it
	Users          []User        // who may own records; nil takes anyone
	User           User          // whose keys these are
	Org            Org           // whose account it is
	Deactivated    bool          // the user is gone: every call answers 401
	RightHost      string        // the account lives on this host: calls here answer 401 and name it; "" is here
	AsyncDelay     time.Duration // how long an async capture stays in the queue
	AsyncPerMinute int           // async captures carried out in a minute; 0 is as many as come
	AsyncFail      float64       // share of async captures that end in ERROR and are not applied; 0 to 1

	// OnCall is told every call that the limit lets through, before it is carried
	// out, one after another; nil: nobody. It must not call the account.
	OnCall func(c CallRecord, body []byte) `json:"-"`

	DropBodies bool // do not keep raw request bodies: a million records take a third of the memory
	KeptCalls  int  // call records kept, newest first to stay; 0 is 10,000
}

// Faults are rates from 0 to 1 of what goes wrong with calls that create, change or
// delete a record, single or in bulk; check-in and check-out are left alone, and so are calls
// that the rate limit turned away. "Committed" means that the account has done what was asked.
type Faults struct {
	LostAnswer       float64 // committed, then the connection is closed without an answer
	CutBefore        float64 // the connection is reset before the commit
	BadGatewayAfter  float64 // committed, but an HTML 502 page comes back
	BadGatewayBefore float64 // an HTML 502 page, nothing committed
	HangAfter        float64 // committed, then silence until the client gives up or HangFor is over
	HangBefore       float64 // silence, nothing committed
	Truncated        float64 // committed, the answer's JSON is cut short
	EmptyBody        float64 // committed, HTTP 200 without a body

	ForeignLimit   float64 // committed, but the answer speaks of a limit of something behind or in front of the account
	GatewayRefusal float64 // committed, but a page in front of it, or a service behind, refuses: 400, 403, 404, 413
	PostedTwice    float64 // a proxy on the way repeats the call: committed twice, the second answer comes back
	TwiceAndLost   float64 // the same, and the connection is closed without an answer
	OtherAnswer    float64 // committed, but the answer is an earlier one, of another call
	CachedAnswer   float64 // an earlier answer of another call, nothing committed

	ReadCut        float64 // of reads: the connection is closed without an answer
	ReadBadGateway float64 // of reads: an HTML 502 page

	// Look-ups at the paths in Lying that are answered well-formed and wrong.
	ReadStale float64 // the account as it was StaleFor ago
	ReadEmpty float64 // nothing is known
	ReadOther float64 // the answer to the look-up before it at that path, about something else
	StaleFor  time.Duration
	Lying     []string

	HangFor time.Duration // 0 is 30 s
	Seed    uint64        // the same seed and order of calls give the same faults
}

// Type is an opportunity type.
type Type struct {
	Code      int
	Name      string
	CanDelete bool // its opportunities may be deleted
	Fields    []Field
}

// Field is the metadata of one field.
type Field struct {
	SchemaName  string
	DisplayName string
	DataType    string // String, Number, Date, DateTime, Dropdown, Email, Phone, Boolean, ActiveUsers, Product
	Mandatory   bool
	ReadOnly    bool
	MaxLength   int      // characters; 0 is 200
	Options     []string // what a Dropdown offers; often empty even so
}

// Product is something to sell.
type Product struct {
	ID   string // "" makes one
	SKU  string
	Name string // "" is the SKU
}

// User is somebody with a seat in the account.
type User struct {
	ID       string // "" makes one
	Name     string
	Email    string
	Role     string // "" is Administrator
	TimeZone string // IANA; "" is Asia/Kolkata
}

// Org is the company that owns the account.
type Org struct {
	ID   string // "" makes one
	Name string
}

// Faults by name, as CallRecord.Fault, Counters.Faults and FailNext have them.
const (
	FaultLostAnswer       = "LostAnswer"
	FaultCutBefore        = "CutBefore"
	FaultBadGatewayAfter  = "BadGatewayAfter"
	FaultBadGatewayBefore = "BadGatewayBefore"
	FaultHangAfter        = "HangAfter"
	FaultHangBefore       = "HangBefore"
	FaultTruncated        = "Truncated"
	FaultEmptyBody        = "EmptyBody"
	FaultForeignLimit     = "ForeignLimit"
	FaultGatewayRefusal   = "GatewayRefusal"
	FaultPostedTwice      = "PostedTwice"
	FaultTwiceAndLost     = "TwiceAndLost"
	FaultOtherAnswer      = "OtherAnswer"
	FaultCachedAnswer     = "CachedAnswer"
	FaultReadStale        = "ReadStale"
	FaultReadEmpty        = "ReadEmpty"
	FaultReadOther        = "ReadOther"
	FaultReadCut          = "ReadCut"
	FaultReadBadGateway   = "ReadBadGateway"
)

type rate struct {
	name string
	of   float64
}

func (f Faults) onCreate() []rate {
	return []rate{
		{FaultLostAnswer, f.LostAnswer},
		{FaultCutBefore, f.CutBefore},
		{FaultBadGatewayAfter, f.BadGatewayAfter},
		{FaultBadGatewayBefore, f.BadGatewayBefore},
		{FaultHangAfter, f.HangAfter},
		{FaultHangBefore, f.HangBefore},
		{FaultTruncated, f.Truncated},
		{FaultEmptyBody, f.EmptyBody},
		{FaultForeignLimit, f.ForeignLimit},
		{FaultGatewayRefusal, f.GatewayRefusal},
		{FaultPostedTwice, f.PostedTwice},
		{FaultTwiceAndLost, f.TwiceAndLost},
		{FaultOtherAnswer, f.OtherAnswer},
		{FaultCachedAnswer, f.CachedAnswer},
	}
}

func (f Faults) onRead() []rate {
	return []rate{{FaultReadCut, f.ReadCut}, {FaultReadBadGateway, f.ReadBadGateway}}
}

// onLookup are the faults of reads at the paths in Lying.
func (f Faults) onLookup() []rate {
	return append(f.onRead(), rate{FaultReadStale, f.ReadStale}, rate{FaultReadEmpty, f.ReadEmpty}, rate{FaultReadOther, f.ReadOther})
}

func (f Faults) check() error {
	for _, rates := range [][]rate{f.onCreate(), f.onLookup()} {
		sum := 0.0
		for _, r := range rates {
			if !(r.of >= 0 && r.of <= 1) {
				return fmt.Errorf("fault rate %s is %v: want 0 to 1", r.name, r.of)
			}
			sum += r.of
		}
		if sum > 1+1e-9 {
			return fmt.Errorf("fault rates add up to %v: want at most 1", sum)
		}
	}
	if f.HangFor < 0 || f.StaleFor < 0 {
		return fmt.Errorf("HangFor is %v, StaleFor %v: want 0 or more", f.HangFor, f.StaleFor)
	}
	for _, path := range f.Lying {
		if _, known := endpoints[path]; !known {
			return fmt.Errorf("there is no call %q that could lie", path)
		}
	}
	return nil
}

// withDefaults checks the options and fills in what they leave out, on a copy.
func (o Options) withDefaults() (Options, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	// Anybody who reaches the account can read the leads that were loaded into it.
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return o, fmt.Errorf("listen address %q: %w (use 127.0.0.1:8080 or the like)", o.Listen, err)
	}
	if !loopback(host) {
		return o, fmt.Errorf("listen address %q is not on this machine alone: use 127.0.0.1", o.Listen)
	}
	for _, one := range []struct {
		name, value string
		allowed     []string
	}{
		{"LimitForm", o.LimitForm, []string{"", "429", "200", "403", "500", "bare"}},
		{"DateHeader", o.DateHeader, []string{"", "account", "real"}},
		{"TrailOffset", o.TrailOffset, []string{"", "page", "offset"}},
		{"TrailCount", o.TrailCount, []string{"", "all", "page"}},
		{"RejectForm", o.RejectForm, []string{"", "500", "200"}},
		{"GoneForm", o.GoneForm, []string{"", "500", "404", "empty"}},
		{"BulkForm", o.BulkForm, []string{"", "response", "bare", "ids", "shuffled", "opaque"}},
	} {
		if !slices.Contains(one.allowed, one.value) {
			return o, fmt.Errorf("%s is %q: want one of %q", one.name, one.value, one.allowed[1:])
		}
	}
	if err := o.Faults.check(); err != nil {
		return o, err
	}
	if !(o.AsyncFail >= 0 && o.AsyncFail <= 1) {
		return o, fmt.Errorf("AsyncFail is %v: want 0 to 1", o.AsyncFail)
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"Window", o.Window}, {"Latency", o.Latency}, {"Jitter", o.Jitter}, {"IndexLag", o.IndexLag}, {"AsyncDelay", o.AsyncDelay},
		{"UpdateLag", o.UpdateLag}, {"BulkWindow", o.BulkWindow},
	} {
		if d.value < 0 {
			return o, fmt.Errorf("%s is %v: want 0 or more", d.name, d.value)
		}
	}
	if o.Calls < NoLimit || o.DailyCap < 0 || o.KeptCalls < 0 || o.AsyncPerMinute < 0 {
		return o, fmt.Errorf("Calls %d, DailyCap %d, KeptCalls %d, AsyncPerMinute %d: want none below zero (Calls -1 is no limit)", o.Calls, o.DailyCap, o.KeptCalls, o.AsyncPerMinute)
	}
	if o.Calls == 0 {
		o.Calls = DefaultCalls
	}
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	if o.BulkCalls < NoLimit {
		return o, fmt.Errorf("BulkCalls is %d: want none below zero (-1 is no limit)", o.BulkCalls)
	}
	if o.BulkCalls == 0 {
		o.BulkCalls = 1
		if o.Calls == NoLimit {
			o.BulkCalls = NoLimit
		}
	}
	if o.BulkWindow == 0 {
		o.BulkWindow = DefaultWindow
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Faults.HangFor == 0 {
		o.Faults.HangFor = defaultHang
	}
	if o.KeptCalls == 0 {
		o.KeptCalls = defaultKeptCalls
	}
	if o.UniqueFields == nil {
		o.UniqueFields = []string{"mx_Customer_Id"}
	}
	if o.Types == nil {
		o.Types = []Type{{Code: DefaultType, Name: "Deal", Fields: defaultOpportunityFields()}}
	}
	o.Types = slices.Clone(o.Types)
	for i, t := range o.Types {
		o.Types[i].CanDelete = t.CanDelete || o.Deletable
		o.Types[i].Fields = markMandatory(t.Fields, o.Mandatory)
	}
	if o.LeadFields == nil {
		o.LeadFields = defaultLeadFields(o.UniqueFields)
	}
	if o.SalesFields == nil {
		o.SalesFields = defaultSalesFields()
	}
	if o.User.Name == "" {
		o.User.Name = "Practice User"
	}
	if o.User.Email == "" {
		o.User.Email = "practice@example.com"
	}
	if o.User.Role == "" {
		o.User.Role = "Administrator"
	}
	if o.User.TimeZone == "" {
		o.User.TimeZone = "Asia/Kolkata"
	}
	if o.Org.Name == "" {
		o.Org.Name = "Practice Account"
	}
	return o, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// param finds a URL parameter by name in any case, as the account's servers do.
func param(q url.Values, name string) string {
	if v, ok := q[name]; ok && len(v) > 0 {
		return v[0]
	}
	for k, v := range q {
		if len(v) > 0 && strings.EqualFold(k, name) {
			return v[0]
		}
	}
	return ""
}
