package pace

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Limit is a number of calls in a window. The zero Limit is an error
// wherever one is asked for; Unlimited says that there is none.
type Limit struct {
	Calls  int
	Window time.Duration
}

// Unlimited switches pacing off.
var Unlimited = Limit{Calls: -1}

// What a limit can sensibly be. A longer window is a cap of the day, which the
// ledger counts over processes; a pacer would sleep through the night for it.
const (
	maxCalls  = 1_000_000
	minWindow = 10 * time.Millisecond
	dayWindow = time.Hour
)

// LimitError says what is wrong with the text of a limit.
type LimitError struct {
	Text   string // as it was given
	Reason string
}

// Error names the text, the fault and the forms that are accepted.
func (e *LimitError) Error() string {
	return fmt.Sprintf("limit %q: %s; write calls/window as in 25/5s or 1/1m, or off for no limit", e.Text, e.Reason)
}

// ParseLimit reads "25/5s", "1/1m", "25/5" (seconds) or "off". The number of
// calls is 1 to 1000000, the window 10ms to less than an hour. The error is a
// *LimitError.
func ParseLimit(s string) (Limit, error) {
	bad := func(reason string) (Limit, error) { return Limit{}, &LimitError{Text: s, Reason: reason} }
	text := strings.TrimSpace(s)
	if strings.EqualFold(text, "off") {
		return Unlimited, nil
	}
	left, right, found := strings.Cut(text, "/")
	if !found {
		return bad("it has no window")
	}
	left, right = strings.TrimSpace(left), strings.TrimSpace(right)
	calls, err := strconv.Atoi(left)
	if err != nil {
		return bad(fmt.Sprintf("%q is not a whole number of calls", left))
	}
	window, err := time.ParseDuration(right)
	if err != nil {
		seconds, serr := strconv.ParseInt(right, 10, 32)
		if serr != nil {
			return bad(fmt.Sprintf("%q is not a window", right))
		}
		window = time.Duration(seconds) * time.Second
	}
	l := Limit{Calls: calls, Window: window}
	if reason := l.fault(); reason != "" {
		return bad(reason)
	}
	return l, nil
}

// fault says why l cannot be paced, or nothing.
func (l Limit) fault() string {
	switch {
	case l.Calls < 1:
		return "at least one call is needed"
	case l.Calls > maxCalls:
		return fmt.Sprintf("more than %d calls", maxCalls)
	case l.Window < minWindow:
		return "the window is shorter than 10ms"
	case l.Window >= dayWindow:
		return "a window of an hour or more is a daily limit, which has a setting of its own"
	}
	return ""
}

// atMost returns a limit that keeps both l and most: the fewer calls, in the longer
// of the windows that both leave them. The zero Limit and Unlimited are no bound.
func (l Limit) atMost(most Limit) Limit {
	if most.Calls < 1 || l.Calls < 1 {
		return l
	}
	both := Limit{Calls: min(l.Calls, most.Calls)}
	both.Window = max(l.share(both.Calls), most.share(both.Calls))
	if both.Window >= dayWindow {
		// As a daily cap it would have a setting of its own: the longer window that can be paced.
		both.Calls = max(1, int(int64(both.Calls)*int64(dayWindow/2)/int64(both.Window)))
		both.Window = max(l.share(both.Calls), most.share(both.Calls))
	}
	return both
}

// share is the part of the window, rounded up, that so many of its calls take.
func (l Limit) share(calls int) time.Duration {
	return (l.Window*time.Duration(calls) + time.Duration(l.Calls) - 1) / time.Duration(l.Calls)
}

// unlimited tells whether l switches pacing off, whatever its window says.
func (l Limit) unlimited() bool { return l.Calls == Unlimited.Calls }

// String gives the form that ParseLimit reads.
func (l Limit) String() string {
	if l.unlimited() {
		return "off"
	}
	w := l.Window.String()
	// 1m0s and 1h0m0s are the same durations with less to read.
	if strings.HasSuffix(w, "m0s") {
		w = strings.TrimSuffix(w, "0s")
	}
	if strings.HasSuffix(w, "h0m") {
		w = strings.TrimSuffix(w, "0m")
	}
	return strconv.Itoa(l.Calls) + "/" + w
}
