package settle

import (
	"context"
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
}

// calibrators is how many loaded records are read to compare the clocks.
const calibrators = 2

// calibrate compares the account's clock with ours by records that this
// ledger knows to be loaded: when they were sent, and when the account says
// that they were made. The Date header of answers may come from another clock.
func (s *Settler) calibrate(ctx context.Context) error {
	if s.calib.done {
		return nil
	}
	s.calib.done = true
	known, err := s.Ledger.Newest(ctx, s.Lease.Account, "opportunity", calibrators)
	if err != nil {
		return err
	}
	ctx, _ = line.WithBudget(ctx, callsForADoubt)
	for _, k := range known {
		trail, why, err := target.Trail(ctx, s.Line, k.LeadID, target.ParseScope(k.Target).Code)
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
			if !s.calib.known || ahead < s.calib.lo {
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

// clockLo is the least that the account's clock may be ahead of ours, and
// whether records prove it.
func (s *Settler) clockLo() (time.Duration, bool) {
	if lo, ok := s.calibrated(); ok {
		return lo, true
	}
	lo, _, _ := s.Line.Ahead()
	return lo, false
}
