package leadsquared

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

var (
	errTLS    = errors.New("TLS handshake")
	errSealed = errors.New("the connection is no longer used")
)

const (
	dialTimeout      = 15 * time.Second
	handshakeTimeout = 15 * time.Second
	// Longer than two windows of a rate limit, so that connections are kept
	// between calls, and shorter than the minute after which servers and
	// balancers commonly close: a request that meets their closing is in doubt.
	idleTimeout = 45 * time.Second
)

// newTransport gives a transport whose connections count the bytes of the
// requests that are written to them.
//
// HTTP/2 is off: there, bytes of other calls move a connection's counter,
// and one stalled connection stalls all calls. With HTTP/1.1 a connection
// serves one call at a time, so that the counter is exact. fence is that of Config.
func newTransport(maxIdle int, roots *x509.CertPool, fence func() error) *http.Transport {
	d := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	dial := func(ctx context.Context, network, addr string) (*countedConn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &countedConn{Conn: c}, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, RootCAs: roots}
	var h1 http.Protocols
	h1.SetHTTP1(true)
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, // never used for loopback
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			c.fence = fence
			return c, nil
		},
		// TLS is done here and not by net/http, so that the counter lies above
		// it: neither a handshake nor the alert that ends a connection counts as
		// a request. Through a proxy net/http does it, and the counter errs to
		// "may have been sent".
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			raw, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			own := conf.Clone()
			own.ServerName, _, _ = net.SplitHostPort(addr)
			tc := tls.Client(raw, own)
			hctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
			defer cancel()
			if err := tc.HandshakeContext(hctx); err != nil {
				raw.Close()
				return nil, &tlsError{err}
			}
			return &countedConn{Conn: tc, below: raw, fence: fence}, nil
		},
		TLSClientConfig:     conf,
		TLSHandshakeTimeout: handshakeTimeout,
		Protocols:           &h1,
		MaxIdleConns:        2 * maxIdle, // sync and async host
		MaxIdleConnsPerHost: maxIdle,
		IdleConnTimeout:     idleTimeout,
	}
}

// tlsError marks what went wrong between the TCP connection and the request.
type tlsError struct{ err error }

func (e *tlsError) Error() string        { return "TLS handshake: " + e.err.Error() }
func (e *tlsError) Unwrap() error        { return e.err }
func (e *tlsError) Is(target error) bool { return target == errTLS }

// countedConn counts what is written through it. With below set, it lies above
// TLS and counts the ciphertext that its own writes moved on the
// connection below.
type countedConn struct {
	net.Conn
	below *countedConn
	fence func() error // asked before every write; nil: nothing keeps it back

	n       atomic.Int64
	mu      sync.Mutex // guards the two below, not the write itself
	writing int
	sealed  bool
}

func (c *countedConn) Write(p []byte) (int, error) {
	// Whatever took its time, from here on nothing does: a process that was
	// stopped for a while finds out here.
	if c.fence != nil && c.fence() != nil {
		return 0, errSealed
	}
	c.mu.Lock()
	if c.sealed {
		c.mu.Unlock()
		return 0, errSealed
	}
	c.writing++
	c.mu.Unlock()
	var before int64
	if c.below != nil {
		before = c.below.n.Load()
	}
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	if c.below != nil {
		c.n.Add(c.below.n.Load() - before)
	} else {
		c.n.Add(int64(n))
	}
	c.writing--
	c.mu.Unlock()
	return n, err
}

// unmoved reports that nothing was written since the counter stood at start,
// and makes sure that nothing will be: whatever still holds the connection
// can no longer write to it.
func (c *countedConn) unmoved(start int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing > 0 || c.n.Load() != start {
		return false
	}
	c.sealed = true
	return true
}

// counterOf finds the counter of a connection that httptrace shows: it may
// lie below the TLS that net/http speaks through a proxy.
func counterOf(c net.Conn) *countedConn {
	for c != nil {
		switch v := c.(type) {
		case *countedConn:
			return v
		case *tls.Conn:
			c = v.NetConn()
		default:
			return nil
		}
	}
	return nil
}

// wire watches one call on its way and tells its Slot. The Slot is told under
// the lock, so that it hears nothing once the call is over.
type wire struct {
	slot Slot

	mu     sync.Mutex
	marks  []mark // connections that the call was given: one
	blind  bool   // a connection without a counter was used
	reused bool
	wrote  bool
	first  bool
	over   bool
}

type mark struct {
	conn  *countedConn
	start int64
}

func (w *wire) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			c := counterOf(i.Conn)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.reused = i.Reused
			if c == nil {
				w.blind = true
				return
			}
			w.marks = append(w.marks, mark{c, c.n.Load()})
		},
		WroteRequest: func(i httptrace.WroteRequestInfo) {
			if i.Err == nil {
				w.tellWrote()
			}
		},
		GotFirstResponseByte: w.tellFirst,
	}
}

func (w *wire) tellWrote() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell(false)
}

func (w *wire) tellFirst() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell(true)
}

func (w *wire) tell(first bool) {
	quiet := w.over || w.slot == nil
	if !w.wrote { // an answer may overtake the end of its request
		w.wrote = true
		if !quiet {
			w.slot.Wrote(w.reused)
		}
	}
	if first && !w.first {
		w.first = true
		if !quiet {
			w.slot.FirstByte()
		}
	}
}

// end keeps hooks that come late away from the Slot.
func (w *wire) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

// mayHaveLeft reports whether some of the request may have left; false is certain.
// hooks says that the transport calls the hooks of httptrace, so that "no connection"
// can be told from "not said".
func (w *wire) mayHaveLeft(err error, hooks bool) bool {
	if errors.Is(err, ErrNotSent) {
		return false
	}
	w.mu.Lock()
	marks, blind, wrote := w.marks, w.blind, w.wrote
	w.mu.Unlock()
	if !blind && !wrote && len(marks) == 0 {
		if hooks {
			return false
		}
		var op *net.OpError
		var dns *net.DNSError
		return !(errors.As(err, &op) && op.Op == "dial") && !errors.As(err, &dns)
	}
	moved := blind || wrote
	for _, m := range marks {
		if !m.conn.unmoved(m.start) {
			moved = true
		}
	}
	return moved
}

// gotConn reports that a connection was had.
func (w *wire) gotConn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.blind || len(w.marks) > 0
}
