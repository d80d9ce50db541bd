// Package sandbox is a LeadSquared account to practise on: an HTTP server on
// 127.0.0.1 that speaks the account's own protocol, keeps its rate limit, and
// can be told to go wrong in every way a real one does.
//
// Start it, point a client at it, then ask what it holds:
//
//	account, err := sandbox.Start(sandbox.Options{Calls: 10, Faults: sandbox.Faults{LostAnswer: 0.03}})
//	if err != nil { … }
//	defer account.Close()
//	access, secret, _ := account.Keys()
//	… load something into account.URL() …
//	for _, o := range account.Opportunities() { … }
//
// It is written from the vendor's public pages and from field reports alone,
// and shares no code with the client that it tests: a mistake in one of them cannot hide in the other.
// Where the pages leave something open, a comment says what was assumed.
//
// A call passes these stations: half of the latency; the outage, if there is
// one; the keys; the daily cap and the rate limit; the fault, if one is drawn; the work;
// the other half of the latency; the answer. The account never notices that a
// client has gone away: like a real server it finishes what it was asked.
package sandbox

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// Account is a practice account. It is safe for concurrent use.
type Account struct {
	o                     Options
	unique                []string // lead attributes that are indexed
	access, secret, async string
	born                  time.Time // zero of the monotonic scale that the windows use

	mu        sync.Mutex // guards everything down to the blank line
	store     *store
	window    *window
	bulk      *window // of the bulk calls, which have a bucket of their own
	busiest   busiest
	perSecond perSecond
	ring      ring
	count     Counters
	faults    Faults
	draw      *mathrand.Rand      // faults
	next      []string            // faults that FailNext asked for
	earlier   map[string]*earlier // answers of each path, where a fault repeats them
	ids       *mathrand.ChaCha8
	wobble    *mathrand.Rand // jitter
	outage    string
	outageEnd *time.Timer
	day       int64 // of the daily cap
	dayCalls  int
	products  map[string]Product // by SKU
	skus      []string           // in order of appearance
	tasks     queue
	presence  presence

	closed  chan struct{}
	closing sync.Once
	active  sync.WaitGroup // calls under way
	door    door           // the listener and its connections; zero without a network
}

// MadeKey is what the access keys that New makes begin with. The account that has one is
// gone with its process, and with it all that was loaded into it. Real keys begin with
// "u$r", too; the "$" trips clients that put keys into URLs.
const MadeKey = "u$rpractice"

// New makes an account that serves nothing by itself: its Handler is the whole
// of it. Use Start for one that can be reached over the network.
func New(o Options) (*Account, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("practice account: %w", err)
	}
	var seed [32]byte
	rand.Read(seed[:])
	a := &Account{
		o: o, born: time.Now(), closed: make(chan struct{}),
		unique: append([]string{"EmailAddress", "Phone", "Mobile"}, o.UniqueFields...),
		access: o.AccessKey, secret: o.SecretKey, async: o.AsyncKey,
		ids:    mathrand.NewChaCha8(seed),
		wobble: mathrand.New(mathrand.NewPCG(o.Faults.Seed, 2)),
	}
	if a.access == "" {
		a.access = MadeKey + randomHex(16)
	}
	if a.secret == "" {
		a.secret = randomHex(20)
	}
	if a.async == "" {
		a.async = randomHex(20)
	}
	if a.o.User.ID == "" {
		a.o.User.ID = a.newID().String()
	}
	if a.o.Org.ID == "" {
		a.o.Org.ID = a.newID().String()
	}
	a.setFaults(o.Faults)
	a.clear()
	return a, nil
}

// Start makes an account and serves it until Close.
func Start(o Options) (*Account, error) {
	a, err := New(o)
	if err != nil {
		return nil, err
	}
	if err := a.door.open(a, a.o.Listen); err != nil {
		return nil, fmt.Errorf("practice account: %w", err)
	}
	return a, nil
}

// clear empties the account. The caller holds mu, or is alone.
func (a *Account) clear() {
	a.store = newStore()
	a.window = newWindow(a.o.Calls, a.o.Window, a.o.RejectedCount)
	a.bulk = newWindow(a.o.BulkCalls, a.o.BulkWindow, a.o.RejectedCount)
	a.busiest = busiest{length: int64(a.o.Window)}
	a.perSecond = perSecond{}
	a.ring = ring{size: a.o.KeptCalls}
	a.count = Counters{Faults: map[string]int64{}}
	a.dayCalls = 0
	a.tasks = queue{byID: map[id]*task{}}
	a.presence = presence{}
	a.earlier = map[string]*earlier{}
	a.products = map[string]Product{}
	a.skus = nil
	for _, p := range a.o.Products {
		a.addProduct(p)
	}
}

// Reset forgets everything the account holds and has counted. Keys, options and outages stay.
func (a *Account) Reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	rival := a.window.rival
	a.clear()
	a.window.rival = rival
}

// URL is where the account answers, such as "http://127.0.0.1:43210"; "" for one made by New.
func (a *Account) URL() string { return a.door.url() }

// AsyncURL is where its async API answers: the same server, under paths without "/v2".
func (a *Account) AsyncURL() string { return a.door.url() }

// Keys gives the access key, the secret key, and the async API's x-api-key.
func (a *Account) Keys() (access, secret, async string) { return a.access, a.secret, a.async }

// Close ends every call and hang under way and returns when all have ended.
func (a *Account) Close() error {
	err := error(nil)
	a.closing.Do(func() {
		a.mu.Lock()
		close(a.closed) // under the lock, so that enter never counts a call in after Wait
		if a.outageEnd != nil {
			a.outageEnd.Stop()
		}
		a.mu.Unlock()
		err = a.door.close()
	})
	a.active.Wait()
	return err
}

// now is the account's own clock.
func (a *Account) now() time.Time { return a.o.Clock().Add(a.o.Skew).UTC() }

// elapsed is the monotonic scale: nanoseconds since the account was made.
func (a *Account) elapsed() int64 { return int64(time.Since(a.born)) }

// newID makes a record id. The caller holds mu, or is alone.
func (a *Account) newID() (v id) {
	a.ids.Read(v[:])
	v[6] = v[6]&0x0f | 0x40
	v[8] = v[8]&0x3f | 0x80
	return v
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// Opportunities gives everything captured, oldest first.
func (a *Account) Opportunities() []Opportunity {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	out := make([]Opportunity, 0, len(a.store.opps))
	for i := range a.store.opps {
		if o := &a.store.opps[i]; !o.gone {
			out = append(out, a.store.showOpportunity(o))
		}
	}
	return out
}

// SalesActivities gives every sales activity, oldest first.
func (a *Account) SalesActivities() []SalesActivity {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]SalesActivity, 0, len(a.store.sales))
	for i := range a.store.sales {
		if s := &a.store.sales[i]; !s.gone {
			out = append(out, a.store.showSale(s))
		}
	}
	return out
}

// Leads gives every lead, oldest first.
func (a *Account) Leads() []Lead {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	out := make([]Lead, 0, len(a.store.leads))
	for i := range a.store.leads {
		if l := &a.store.leads[i]; !l.merged {
			out = append(out, a.store.showLead(l))
		}
	}
	return out
}

// AddLead puts a lead into the account by hand and gives its id. An attribute ProspectID sets that id.
func (a *Account) AddLead(attributes map[string]string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.newID()
	var pairs []pair
	for name, value := range attributes {
		if name != "ProspectID" {
			pairs = append(pairs, pair{name, value})
			continue
		}
		given, ok := parseID(value)
		if !ok {
			return "", fmt.Errorf("ProspectID %q is not a GUID", value)
		}
		v = given
	}
	if _, taken := a.store.leadByID[v]; taken {
		return "", fmt.Errorf("lead %q is there already", v)
	}
	a.store.addLead(v, pairs, a.unique, a.now())
	return v.String(), nil
}

// AddOpportunity puts an opportunity on a lead by hand and gives its id.
func (a *Account) AddOpportunity(leadID string, eventCode int, note string, fields map[string]string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	on, err := a.leadAt(leadID)
	if err != nil {
		return "", err
	}
	var pairs []pair
	for name, value := range fields {
		pairs = append(pairs, pair{name, value})
	}
	v := a.newID()
	now := a.now().UnixNano()
	a.keepOpportunity(opportunity{id: v, lead: on, code: int32(eventCode), created: now, modified: now, note: note}, pairs)
	return v.String(), nil
}

// AddSalesActivity puts a sales activity on a lead by hand and gives its id.
// The values go by the names of the request body: ProductSku, Status, Revenue, mx_Custom_5 and so on.
func (a *Account) AddSalesActivity(leadID string, values map[string]string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	on, err := a.leadAt(leadID)
	if err != nil {
		return "", err
	}
	pairs := pairsIn(values)
	v := a.newID()
	a.addProduct(Product{SKU: values["ProductSku"]})
	a.store.addSale(sale{id: v, lead: on, created: a.now().UnixNano(), values: a.store.names.pack(pairs)})
	return v.String(), nil
}

func (a *Account) leadAt(leadID string) (int32, error) {
	v, ok := parseID(leadID)
	if !ok {
		return 0, fmt.Errorf("lead id %q is not a GUID", leadID)
	}
	at, ok := a.store.leadByID[v]
	if !ok {
		return 0, fmt.Errorf("there is no lead %q", leadID)
	}
	return at, nil
}

// SetLimit changes the rate limit, as the vendor does when a plan changes, and
// forgets the calls in the window that was. -1 calls is no limit. A new length starts Counters.MaxInWindow afresh.
func (a *Account) SetLimit(calls int, window time.Duration) error {
	if calls == 0 || calls < NoLimit || window <= 0 {
		return fmt.Errorf("limit of %d calls in %v: want at least 1 call (or -1 for no limit) in more than no time", calls, window)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	rival := a.window.rival
	a.window = newWindow(calls, window, a.o.RejectedCount)
	a.window.rival = rival
	if window != a.o.Window {
		a.busiest = busiest{length: int64(window)}
	}
	a.o.Calls, a.o.Window = calls, window
	return nil
}

// CompeteWith makes another integration of the same customer use that many
// calls of each window, evenly spaced, from now on; 0 ends it.
func (a *Account) CompeteWith(callsPerWindow int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.elapsed()
	a.window.rival.until(now, a.window)
	a.window.rival.start(now, callsPerWindow, a.window.length)
}

// door is the way in from the network: a listener that can be shut and opened again on the same address.
type door struct {
	mu       sync.Mutex
	server   *http.Server
	address  string
	listener net.Listener
	serving  sync.WaitGroup // Serve and reopening
	conns    sync.WaitGroup // connections that net/http has a goroutine for
	shut     bool           // for good
}

func (d *door) open(a *Account, listen string) error {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	d.address = ln.Addr().String()
	d.server = &http.Server{
		Handler:           a.Handler(),
		ReadHeaderTimeout: 30 * time.Second,
		// Longer than any pacing window, so that a client's connections are still there after a pause.
		IdleTimeout: 5 * time.Minute,
		ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				d.conns.Add(1)
			case http.StateClosed, http.StateHijacked:
				d.conns.Done()
			}
		},
	}
	d.serve(ln)
	return nil
}

func (d *door) serve(ln net.Listener) {
	d.listener = ln
	d.serving.Go(func() { d.server.Serve(ln) })
}

func (d *door) url() string {
	if d.address == "" {
		return ""
	}
	return "http://" + d.address
}

// lock refuses new connections and ends idle ones.
func (d *door) lock() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.server == nil || d.listener == nil {
		return
	}
	d.listener.Close()
	d.listener = nil
	d.server.SetKeepAlivesEnabled(false)
}

// unlock takes connections again on the old address.
func (d *door) unlock(closed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.server == nil || d.listener != nil || d.shut {
		return
	}
	d.server.SetKeepAlivesEnabled(true)
	if ln, err := net.Listen("tcp", d.address); err == nil {
		d.serve(ln)
		return
	}
	// Somebody's outgoing connection may sit on the port for a moment.
	d.serving.Go(func() {
		for {
			select {
			case <-closed:
				return
			case <-time.After(50 * time.Millisecond):
			}
			if d.retry() {
				return
			}
		}
	})
}

func (d *door) retry() (done bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut || d.listener != nil {
		return true
	}
	ln, err := net.Listen("tcp", d.address)
	if err != nil {
		return false
	}
	d.serve(ln)
	return true
}

func (d *door) close() error {
	d.mu.Lock()
	d.shut = true
	server := d.server
	d.mu.Unlock()
	if server == nil {
		return nil
	}
	err := server.Close()
	d.serving.Wait()
	d.conns.Wait()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return err
}

// chance draws whether something with the given probability happens.
func chance(r *mathrand.Rand, p float64) bool { return p > 0 && r.Float64() < p }
