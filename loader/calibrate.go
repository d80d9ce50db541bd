package loader

import (
	"context"
	"strings"
	"time"
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
func (r *run) calibrate(ctx context.Context) error {
	if r.calib.done {
		return nil
	}
	r.calib.done = true
	known, err := r.led.LastLoaded(ctx, r.acct, "opportunity", calibrators)
	if err != nil {
		return err
	}
	for _, k := range known {
		event := 0
		if _, code, ok := strings.Cut(k.Target, ":"); ok {
			event = atoi(code)
		}
		trail, why, err := r.trail(ctx, k.LeadID, event)
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
			if !r.calib.known || ahead < r.calib.lo {
				r.calib.known, r.calib.lo = true, ahead
			}
		}
	}
	return nil
}

// calibrated gives the least by which the account's clock is ahead of ours.
func (r *run) calibrated() (time.Duration, bool) {
	if !r.calib.known {
		return 0, false
	}
	lo, _, known := r.clock.ahead()
	if known && r.calib.lo-lo > 0 && r.calib.lo-lo < calibrationSlack {
		return lo, true // both agree; the header is the more exact of the two
	}
	return r.calib.lo - calibrationSlack, true
}

// calibrationSlack covers the round trip of a calibrating record's own call.
const calibrationSlack = 10 * time.Second

func atoi(s string) int {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}
