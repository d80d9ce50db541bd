package settle

import (
	"context"
	"slices"
	"strings"
	"time"

	"leadload/loader/line"
	"leadload/loader/target"
)

// calibration is how far the account's clock is ahead of ours, read off records
// of which both moments are known.
type calibration struct {
	done, known bool
	lo          time.Duration
	// ahead is the same of records that were sent in the future: our clock was set back
	// since, maybe several times.
	ahead []measured
}

type measured struct {
	sent time.Time
	lo   time.Duration
}

const (
	calibrators = 2    // records that are read to compare the clocks
	chosenFrom  = 5000 // and from how many they are chosen
	mostAhead   = 8    // records that are read to know how far our clock was ahead
	// sameClock is how far from one another two calls were sent by the same clock.
	sameClock = 20 * time.Minute
)

// calibrate compares the account's clock with ours by records that this
// ledger knows to be loaded: when they were sent, and when the account says
// that they were made. The Date header of answers may come from another clock.
func (s *Settler) calibrate(ctx context.Context) error {
	if s.calib.done {
		return nil
	}
	s.calib.done = true
	known, err := s.Ledger.Newest(ctx, s.Lease.Account, "", chosenFrom)
	if err != nil {
		return err
	}
	ctx, _ = line.WithBudget(ctx, callsForADoubt)
	now, read := time.Now(), 0
	for _, k := range known {
		future := k.Sent.After(now)
		switch {
		case future && (len(s.calib.ahead) == mostAhead || slices.ContainsFunc(s.calib.ahead, func(m measured) bool { return k.Sent.Sub(m.sent).Abs() < sameClock/4 })):
			continue
		case !future && read == calibrators:
			continue
		case !future:
			read++
		}
		trail, why, err := target.Trail(ctx, s.Line, k.LeadID, target.ParseScope(k.Target).Event())
		if err != nil {
			return err
		}
		if why != "" {
			continue
		}
		for _, a := range trail {
			if !strings.EqualFold(a.ID, k.ID) || a.CreatedOn.IsZero() {
				continue
			}
			// The record was made at some moment between the call and its answer,
			// so this is at most a round trip too high.
			ahead := a.CreatedOn.Sub(k.Sent.Round(0))
			switch {
			case future:
				s.calib.ahead = append(s.calib.ahead, measured{k.Sent, ahead})
			case !s.calib.known || ahead < s.calib.lo:
				s.calib.known, s.calib.lo = true, ahead
			}
		}
	}
	return nil
}

// calibrated returns the least by which the account's clock is ahead of ours.
func (s *Settler) calibrated() (time.Duration, bool) {
	if !s.calib.known {
		return 0, false
	}
	lo, _, known := s.Line.Ahead()
	if known && s.calib.lo-lo > 0 && s.calib.lo-lo < calibrationSlack {
		return lo, true // both agree; the header is the more exact of the two
	}
	return s.calib.lo - calibrationSlack, true
}

// calibrationSlack covers the round trip of a calibrating record's own call.
const calibrationSlack = 10 * time.Second

// moment returns when a row was sent, by our clock as it is now. exact is false where our
// clock was set back since and nothing proves by how much: then it was sent by now.
func (s *Settler) moment(sent, now time.Time) (at time.Time, exact bool) {
	if !sent.After(now) {
		return sent, true
	}
	var next *measured
	for i := range s.calib.ahead {
		if m := &s.calib.ahead[i]; sent.Sub(m.sent).Abs() <= sameClock && (next == nil || sent.Sub(m.sent).Abs() < sent.Sub(next.sent).Abs()) {
			next = m
		}
	}
	if next == nil {
		return now, false
	}
	lo := s.calib.lo
	if !s.calib.known {
		lo, _, _ = s.Line.Ahead()
	}
	// Earlier is the safer side: what was measured is a round trip too high at most.
	at = sent.Add(next.lo - lo - calibrationSlack)
	if at.After(now) {
		return now, false
	}
	return at, true
}

// clockLo is the least that the account's clock may be ahead of ours, and
// whether records prove it.
func (s *Settler) clockLo() (time.Duration, bool) {
	if lo, ok := s.calibrated(); ok {
		return lo, true
	}
	lo, _, _ := s.Line.Ahead()
	return lo, false
}
