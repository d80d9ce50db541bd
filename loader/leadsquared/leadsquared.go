// Package leadsquared is a client of the LeadSquared REST API: one method a
// call, typed answers, one Verdict for every way in which a call can end.
//
// Every call takes a Slot, which the caller got from its pacer, so that no
// call can be made past the rate limit; the client reports to it when the request
// left and when the answer began, and leaves it to the caller to end it.
//
//	c, err := leadsquared.New(leadsquared.Config{Host: "api-in21.leadsquared.com", …})
//	o := c.Make(ctx, slot, leadsquared.MakeOpportunity, body)
//	switch o.Verdict { case leadsquared.Applied: … o.ID …; case leadsquared.InDoubt: … }
//
// Calls that make a record give an Outcome. Reads give a value and an Outcome:
// the value may be used when, and only when, Outcome.Verdict is Applied. An
// answer that is not what the call should bring, such as an object in place of
// an array, is InDoubt: a failed read never looks like "nothing there".
//
// No call is ever repeated by the client, and net/http is kept from doing so.
package leadsquared

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Secret is a key. Its String, GoString, LogValue and MarshalText give "***".
type Secret struct{ value *string } // a pointer: fmt prints no text through it, however deep it lies

// NewSecret wraps a key.
func NewSecret(s string) Secret { return Secret{&s} }

// String gives "***".
func (s Secret) String() string { return "***" }

// GoString gives "***".
func (s Secret) GoString() string { return "***" }

// Format gives "***" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, "***") }

// LogValue gives "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalText gives "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// IsZero reports that there is no key.
func (s Secret) IsZero() bool { return s.reveal() == "" }

// Len returns the key's length in bytes.
func (s Secret) Len() int { return len(s.reveal()) }

// Begins reports whether the secret begins with a text that is none.
func (s Secret) Begins(with string) bool { return strings.HasPrefix(s.reveal(), with) }

func (s Secret) reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Slot is told what happens on the wire.
type Slot interface {
	Wrote(reused bool) // the request has left
	FirstByte()        // the first byte of the answer has come
}

// Config is a client's configuration.
type Config struct {
	Host      string // sync host, with or without scheme and port
	AsyncHost string
	AccessKey Secret
	SecretKey Secret
	AsyncKey  Secret
	Timeout   time.Duration // one call as a whole; 0 is 60 s
	MaxIdle   int           // connections kept; at least the limit's calls; 0 is 32
	// Log is told of every call that was tried; nil is nobody.
	Log func(LogEntry)
	// Fence is asked before any bytes of a request leave; with an error none do. It
	// must not wait. nil: nothing keeps calls back.
	Fence func() error
	// Transport stands in for the network in tests; nil is a tuned http.Transport.
	//
	// Of a stand-in's error the client assumes that the request had left, unless
	// the error wraps ErrNotSent or is a dial or DNS error. A stand-in may
	// call the hooks of httptrace.ContextClientTrace(req.Context()); where it does
	// not, Slot.Wrote and Slot.FirstByte follow when it returns.
	Transport http.RoundTripper
	// StatusPath and MetricsPath stand in for the async API's paths, which the vendor's pages leave open.
	StatusPath, MetricsPath string
}

// LogEntry is one call as the vendor's error-handling page wants it logged. It never holds a key.
type LogEntry struct {
	Time         time.Time
	Signature    string // "POST https://host/v2/…"
	Params       string // URL parameters, without keys
	RequestBody  []byte
	Status       int // 0: no answer
	ResponseBody []byte
	Verdict      Verdict
	Message      string
	Duration     time.Duration
}

// Verdict is how a call ended.
type Verdict uint8

// Every call ends in exactly one of these.
const (
	InDoubt   Verdict = iota // bytes were written and no usable answer came: may be applied
	Applied                  // success, with an id where the call makes a record
	Duplicate                // success: the account's rule matched a record that was there
	Accepted                 // async: queued under a request id
	Rejected                 // the application refused: not applied, a retry cannot help
	Throttled                // over the rate limit: not applied
	NotSent                  // nothing reached the account: not applied
	Fatal                    // 401, 404, certificate: the run stops
)

var verdictNames = [...]string{"in doubt", "applied", "duplicate", "accepted", "rejected", "throttled", "not sent", "fatal"}

// String gives the verdict's name in lower case, such as "in doubt".
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}

// Outcome is everything known about how a call ended.
type Outcome struct {
	Verdict       Verdict
	ID            string        // the record made, or for Duplicate the record matched
	LeadID        string        // RelatedProspectId
	RequestID     string        // Accepted
	Status        int           // HTTP status; 0: no answer
	ExceptionType string        // the account's word, such as MXDuplicateEntryException
	Message       string        // the account's or the network's words; no keys, no URL query
	StatedCalls   int           // Throttled: the limit that the message names; 0: none
	StatedWindow  time.Duration //
	RightHost     string        // Fatal, 401: the vendor's host that the message names
	// Slow goes with InDoubt: the answer speaks of a limit, but not in the account's own
	// words, so that the calls should become fewer and the row is in doubt all the same.
	Slow bool
	// Stop goes with InDoubt: the refusal would meet every row, so that the run should stop.
	Stop bool
	// TooLong goes with InDoubt: the answer was longer than such an answer can be.
	TooLong    bool
	Outage     bool      // InDoubt or NotSent for a reason that will meet other calls too: refused, DNS, 502, 503, 504, timeout
	Body       []byte    // the answer, at most 64 KiB; personal data, never printed
	Started    time.Time // when the call began
	Ended      time.Time
	ServerTime time.Time // the Date header; zero: none

	code string // what Code gives; an Outcome made by hand has none
}

// Make makes one record by a call of the table of them.
func (c *Client) Make(ctx context.Context, s Slot, m Making, body []byte) Outcome {
	o, _ := c.do(ctx, s, call{kind: m.kind, method: http.MethodPost, path: m.path, body: body, async: m.async})
	return o
}
