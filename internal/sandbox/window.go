package sandbox

import (
	"fmt"
	"time"
)

// window is a sliding window over arrivals. Times are nanoseconds on one
// monotonic scale; each must be no earlier than the one before.
type window struct {
	calls   int // allowed in a window; NoLimit is no limit
	length  int64
	rejects bool // arrivals that are turned away count too

	last []int64 // ring: the latest arrivals that count, as many as are allowed
	next int
	full bool

	rival rival
}

func newWindow(calls int, length time.Duration, rejects bool) *window {
	w := &window{calls: calls, length: int64(length), rejects: rejects}
	if calls > 0 {
		w.last = make([]int64, calls)
	}
	return w
}

// arrive says whether a call at t is within the limit, after the rival's calls up to t were made.
func (w *window) arrive(t int64) bool {
	w.rival.until(t, w)
	return w.take(t)
}

func (w *window) take(t int64) bool {
	if w.calls == NoLimit {
		return true
	}
	within := !w.full || w.last[w.next] <= t-w.length
	if within || w.rejects {
		w.last[w.next] = t
		w.next++
		if w.next == len(w.last) {
			w.next, w.full = 0, true
		}
	}
	return within
}

// message is the account's own sentence; the numbers in it are the real ones.
func (w *window) message() string {
	return fmt.Sprintf("API calls exceeded the limit of %d in %g second(s)", w.calls, time.Duration(w.length).Seconds())
}

// rival is another integration of the same customer, which uses part of the
// quota with evenly spaced calls. Its calls are worked out when somebody looks, so it needs no goroutine.
type rival struct {
	every    int64 // nanoseconds between its calls; 0 is no rival
	due      int64
	accepted int64
	refused  int64
}

func (r *rival) start(now int64, callsPerWindow int, length int64) {
	r.every = 0
	if callsPerWindow > 0 {
		r.every = max(1, length/int64(callsPerWindow))
		r.due = now
	}
}

func (r *rival) until(t int64, w *window) {
	if r.every == 0 {
		return
	}
	// After an idle hour only the calls that can still be in a window matter.
	if gone := t - 3*w.length; r.due < gone {
		skip := (gone - r.due) / r.every
		r.due += skip * r.every
		r.accepted += skip
	}
	for ; r.due <= t; r.due += r.every {
		if w.take(r.due) {
			r.accepted++
		} else {
			r.refused++
		}
	}
}

// busiest measures the most arrivals in any window of one length: an independent check on a pacer.
type busiest struct {
	length int64
	times  []int64 // a queue; times[head:] are within the window
	head   int
	most   int
}

func (b *busiest) arrive(t int64) {
	for b.head < len(b.times) && b.times[b.head] <= t-b.length {
		b.head++
	}
	if b.head > 1024 && b.head*2 > len(b.times) {
		b.times = append(b.times[:0], b.times[b.head:]...)
		b.head = 0
	}
	b.times = append(b.times, t)
	b.most = max(b.most, len(b.times)-b.head)
}

// within is how many arrivals the window that ends at t holds.
func (b *busiest) within(t int64) int {
	n := 0
	for i := len(b.times) - 1; i >= b.head && b.times[i] > t-b.length; i-- {
		n++
	}
	return n
}

// perSecond counts arrivals by second, for the last minute.
type perSecond struct {
	second  [60]int64 // which second a cell holds
	calls   [60]int
	limited [60]int
}

func (p *perSecond) count(t int64, limited bool) {
	s := t / int64(time.Second)
	i := s % 60
	if p.second[i] != s {
		p.second[i], p.calls[i], p.limited[i] = s, 0, 0
	}
	p.calls[i]++
	if limited {
		p.limited[i]++
	}
}

// lastMinute gives arrivals and turned-away arrivals by second, oldest first.
func (p *perSecond) lastMinute(t int64) (calls, limited [60]int) {
	now := t / int64(time.Second)
	for k := range 60 {
		s := now - 59 + int64(k)
		if s < 0 {
			continue
		}
		if i := s % 60; p.second[i] == s {
			calls[k], limited[k] = p.calls[i], p.limited[i]
		}
	}
	return calls, limited
}
