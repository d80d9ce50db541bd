package settle

import (
	"context"
	"slices"
	"strings"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/target"
)

// calibration is how far the account's clock is ahead of ours, read off records
// of which both moments are known.
type calibration struct {
	done, known bool
	lo          time.Duration // the least of all that were measured
	// beside are the moments of records that were measured: our clock may have been put
	// right between two of them, and then one proves nothing for rows beside the other.
	beside []time.Time
	// ahead is the same of records that were sent in the future: our clock was set back
	// since, maybe several times.
	ahead []measured
}

type measured struct {
	sent time.Time
	lo   time.Duration
}

const (
	calibrators = 2    // records that are read to compare the clocks, whatever is in doubt
	mostBeside  = 8    // and at most, each beside rows in doubt
	chosenFrom  = 5000 // and from how many they are chosen
	mostAhead   = 8    // records that are read to know how far our clock was ahead
	// sameClock is how far from one another two calls were sent by the same clock.
	sameClock = 20 * time.Minute
	// besideBy is the same where nothing else tells of the clock.
	besideBy = 2 * time.Minute
)

// calibrate compares the account's clock with ours by records that this
// ledger knows to be loaded: when they were sent, and when the account says
// that they were made. The Date header of answers may come from another clock.
// They are the newest, and for rows in doubt that have none beside them one that has.
func (s *Settler) calibrate(ctx context.Context, groups []*group) error {
	now := time.Now()
	var alone []time.Time
	for _, g := range groups {
		for _, rec := range g.rows {
			if !rec.Sent.After(now) && !s.beside(rec.Sent) {
				alone = append(alone, rec.Sent)
			}
		}
	}
	if s.calib.done && len(alone) == 0 {
		return nil
	}
	known, err := s.Ledger.Newest(ctx, s.Lease.Account, "", chosenFrom)
	if err != nil {
		return err
	}
	ctx, _ = line.WithBudget(ctx, callsForADoubt)
	var future, past []ledger.KnownRecord
	for _, k := range known {
		if k.Sent.After(now) {
			future = append(future, k)
		} else {
			past = append(past, k)
		}
	}
	if !s.calib.done {
		s.calib.done = true
		for _, k := range future {
			if len(s.calib.ahead) == mostAhead || nearest(s.calib.ahead, k.Sent, sameClock/4, sentAhead) != nil {
				continue
			}
			if err := s.measure(ctx, now, k); err != nil {
				return err
			}
		}
		for _, k := range past[:min(len(past), calibrators)] {
			if err := s.measure(ctx, now, k); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(alone, time.Time.Compare)
	for _, sent := range alone {
		if s.beside(sent) || len(s.calib.beside) >= calibrators+mostBeside {
			continue
		}
		if next := nearest(past, sent, besideBy, sentKnown); next != nil {
			if err := s.measure(ctx, now, *next); err != nil {
				return err
			}
		}
	}
	return nil
}

// nearest returns the one of a list that was sent nearest to a moment, and no farther
// from it than within; nil where there is none.
func nearest[T any](list []T, at time.Time, within time.Duration, sent func(*T) time.Time) (found *T) {
	for i := range list {
		if d := sent(&list[i]).Sub(at).Abs(); d <= within && (found == nil || d < sent(found).Sub(at).Abs()) {
			found = &list[i]
		}
	}
	return found
}

func sentAhead(m *measured) time.Time { return m.sent }

func sentKnown(k *ledger.KnownRecord) time.Time { return k.Sent }

// beside reports whether a record was measured that was sent at about that moment.
func (s *Settler) beside(sent time.Time) bool {
	return slices.ContainsFunc(s.calib.beside, func(at time.Time) bool { return at.Sub(sent).Abs() <= besideBy })
}

// measure compares the clocks by one record.
func (s *Settler) measure(ctx context.Context, now time.Time, k ledger.KnownRecord) error {
	trail, why, err := target.Trail(ctx, s.Line, k.LeadID, target.ParseScope(k.Target).Event())
	if err != nil || why != "" {
		return err
	}
	for _, a := range trail {
		if !strings.EqualFold(a.ID, k.ID) || a.CreatedOn.IsZero() {
			continue
		}
		// The record was made at some moment between the call and its answer,
		// so this is at most a round trip too high.
		ahead := a.CreatedOn.Sub(k.Sent.Round(0))
		if k.Sent.After(now) {
			s.calib.ahead = append(s.calib.ahead, measured{k.Sent, ahead})
			continue
		}
		s.calib.beside = append(s.calib.beside, k.Sent)
		if !s.calib.known || ahead < s.calib.lo {
			s.calib.known, s.calib.lo = true, ahead
		}
	}
	return nil
}

// calibrated returns the least by which the account's clock is ahead of ours, as records
// show it, and whether the Date header of today says the same.
func (s *Settler) calibrated() (lo time.Duration, agreed bool) {
	lo, _, known := s.Line.Ahead()
	if known && s.calib.lo-lo > 0 && s.calib.lo-lo < calibrationSlack {
		return lo, true // the header is the more exact of the two
	}
	return s.calib.lo - calibrationSlack, false
}

// calibrationSlack covers the round trip of a calibrating record's own call.
const calibrationSlack = 10 * time.Second

// moment returns when a row was sent, by our clock as it is now. exact is false where our
// clock was set back since and nothing proves by how much: then it was sent by now.
func (s *Settler) moment(sent, now time.Time) (at time.Time, exact bool) {
	if !sent.After(now) {
		return sent, true
	}
	next := nearest(s.calib.ahead, sent, sameClock, sentAhead)
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

// clockLo is the least that the account's clock may be ahead of ours, and whether
// records prove it for some rows: those that were sent at about the same moment as a
// record, or all where our clock is still as it was then.
func (s *Settler) clockLo(wants ...want) (time.Duration, bool) {
	if s.calib.known {
		lo, agreed := s.calibrated()
		return lo, agreed || !slices.ContainsFunc(wants, func(w want) bool { return !w.vague && !w.moved && !s.beside(w.sent) })
	}
	lo, _, _ := s.Line.Ahead()
	return lo, false
}
